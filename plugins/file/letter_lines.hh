// How many lines an event log and its rotated files hold, and how old the oldest is: for a log that dead letters go to.
// Files only grow, so each look reads what came since the last one. Compressed files are somebody else's and not
// counted.
#pragma once

#include <sluice/cpp/letter_watch.hh>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace file_plugin {

class LetterLines {
 public:
  explicit LetterLines(std::string path) : path_(std::move(path)) {}

  /// Throws Away when it cannot look, or has not seen all lines yet when time is up: the next look goes on.
  [[nodiscard]] sluice::LetterFacts ask(std::chrono::milliseconds timeout);

 private:
  struct Counted {
    std::uint64_t bytes = 0, lines = 0;  // whole lines only
    double first_unix_s = 0;             // when the first line's letter died
    bool seen = false;                   // in this look
  };
  using Clock = std::chrono::steady_clock;
  void count(const std::string& file, Clock::time_point end, sluice::LetterFacts& facts);

  const std::string path_;
  std::map<ino_t, Counted> counted_;
};

}  // namespace file_plugin
