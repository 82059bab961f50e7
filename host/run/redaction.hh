// Removes what a backend may not see before anything of it leaves the host: from payloads, logs and dead letters alike.
//
// Threads: one instance per backend lane.
#pragma once

#include "core/config.hh"
#include "run/batch_run.hh"

#include <string>
#include <vector>

namespace sluice {

class Redaction {
 public:
  explicit Redaction(const std::vector<std::string>& pointers);
  ~Redaction();
  Redaction(const Redaction&) = delete;
  Redaction& operator=(const Redaction&) = delete;

  /// Replaces the run's events by views without the named fields, in a block of its own; false when none had them.
  bool apply(Run& run, BlockPool& blocks);

 private:
  struct State;
  std::unique_ptr<State> state_;  // null: nothing to remove
};

}  // namespace sluice
