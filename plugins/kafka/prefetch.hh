// When does the library stand still although there is more to fetch? It stops once enough is prefetched and looks
// again up to a second later, also when all of that was taken within a millisecond. Whoever reads faster than that sees
// a full queue run dry; from outside only what was taken without a gap can be counted. No library and no clock.
#pragma once

#include <cstdint>

namespace kafka {

class Prefetch {
 public:
  /// What the library prefetches before it stops: `queued.min.messages`, and bytes of `queued.max.messages.kbytes`.
  Prefetch(std::uint64_t messages, std::uint64_t bytes) noexcept : messages_(messages), bytes_(bytes) {}

  void took(std::uint64_t bytes) noexcept {
    ++taken_messages_;
    taken_bytes_ += bytes;
  }
  /// Nothing is left to take. True when there had been enough at once for the library to have stopped; half of its
  /// bounds count as enough, since it counts more than the messages' own bytes.
  [[nodiscard]] bool ran_dry() noexcept {
    const bool stopped = taken_messages_ > messages_ / 2 || taken_bytes_ > bytes_ / 2;
    taken_messages_ = taken_bytes_ = 0;
    return stopped;
  }

 private:
  std::uint64_t messages_, bytes_;
  std::uint64_t taken_messages_ = 0, taken_bytes_ = 0;  // since nothing was left to take
};

}  // namespace kafka
