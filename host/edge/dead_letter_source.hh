// The class dead_letters: a source inside the host that reads a dead-letter store, for `sluice dlq redrive`. A letter
// leaves the store when it is settled as delivered; whatever else becomes of it, it stays (or goes back, when it dies
// again: see dead_letter_store.hh). It takes what is in the store at the start, and ends.
#pragma once

#include "edge/dead_letter_store.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sluice {

/// A choice of letters as JSON and back: how the command line hands it to the source.
[[nodiscard]] LetterChoice read_choice(ConfigView config);

class DeadLetterSource {
 public:
  static const char* const kSchema;

  DeadLetterSource(HostView host, ConfigView config);

  void start(std::chrono::milliseconds timeout);
  sluice_status pull(sluice_writer& out);
  void settle(SettlementsView settlements);
  std::uint64_t input_bytes();

 private:
  void read_on();

  HostView host_;
  std::string path_;
  LetterChoice choice_;
  std::optional<DeadLetterStore> store_;
  std::int64_t last_ = 0;    // what came later is not part of this
  std::int64_t cursor_ = 0;  // read up to here
  std::uint64_t found_ = 0;  // letters handed out or waiting
  bool all_read_ = false;
  std::uint64_t bytes_ = 0;
  struct Waiting {
    std::int64_t number;
    std::uint32_t redrives;
    std::string event_json;
  };
  std::deque<Waiting> waiting_;                                // read, not handed out; bounded by one read
  std::unordered_map<std::int64_t, std::uint32_t> in_flight_;  // number to redrives as it was read
  std::vector<DeadLetterStore::Delivered> delivered_;
};

}  // namespace sluice
