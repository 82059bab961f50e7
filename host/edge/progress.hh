// The progress line of a long run on a terminal: events, rate, and the time that is left when the end is known. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sluice {

struct ProgressFacts {
  std::uint64_t events = 0;       // so far
  std::uint64_t bytes = 0;        // read so far
  std::uint64_t bytes_total = 0;  // of all input; 0 = not known
};

/// Turns facts into a line now and then. Where it is shown: StreamLog::show_status.
class Progress {
 public:
  static constexpr std::uint64_t kEveryNs = 200'000'000;  // five lines a second at most

  /// A new line when it is time for one. The first comes after a second: short runs show none.
  [[nodiscard]] std::optional<std::string> line(const ProgressFacts& facts, std::uint64_t now_ns);

 private:
  std::uint64_t start_ns_ = 0, last_ns_ = 0;
  std::uint64_t last_events_ = 0, last_bytes_ = 0;
  double events_per_second_ = 0, bytes_per_second_ = 0;
};

}  // namespace sluice
