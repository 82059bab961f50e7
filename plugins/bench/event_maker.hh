// Makes CloudEvents of a document-processing service out of a seed: 90 % document.processed, 5 % document.failed,
// 3 % batch.started, 2 % batch.completed, about 585 bytes each, escapes and non-ASCII text included. The same seed
// gives the same bytes on every machine, and event n can only be had after events 0..n-1. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

class EventMaker {
 public:
  /// No event is longer than this when size_bytes is 0; else than this plus size_bytes.
  static constexpr std::size_t kEventBytesMax = 800;

  EventMaker(std::uint64_t seed, std::size_t size_bytes);

  /// Writes the next event and returns its length. Requires room for max_bytes().
  std::size_t make(char* to);
  [[nodiscard]] std::size_t max_bytes() const noexcept { return kEventBytesMax + size_bytes_; }
  [[nodiscard]] std::uint64_t made() const noexcept { return made_; }

 private:
  [[nodiscard]] std::uint64_t random() noexcept;

  std::uint64_t state_[4];
  const std::size_t size_bytes_;
  std::uint64_t made_ = 0;
  std::uint64_t ms_ = 0;   // since the first event
  std::uint64_t day_ = 0;  // of ms_, and its text
  char date_[10];
  std::uint32_t job_ = 0;
  std::uint64_t batch_ = 0;
};

}  // namespace bench
