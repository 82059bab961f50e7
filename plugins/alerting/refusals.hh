// What a receiver refused for good: kept beside the state as a line of JSON each, so that an alert that nobody was told
// of is not only a line in a log. `sluice alert refused NODE` prints it.
//
// Threads: one at a time, under the courier's mutex.
#pragma once

#include "alert.hh"

#include <string>

namespace alerting {

class Refusals {
 public:
  /// An empty path: nothing is kept.
  explicit Refusals(std::string path) : path_(std::move(path)) {}

  /// Throws std::system_error when it cannot be written.
  void add(std::int64_t now_ms, const Message& message, const Answer& answer) const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  const std::string path_;
};

}  // namespace alerting
