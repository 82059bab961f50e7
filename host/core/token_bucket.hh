// A rate limit: tokens drip in at a rate and are spent one per event. The bucket holds a tenth of a second (at least
// one token), so that a limit is a limit and not an average over a minute.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace sluice {

class TokenBucket {
 public:
  explicit TokenBucket(double per_second) noexcept
      : per_second_(per_second), size_(std::max(1.0, per_second / 10)), tokens_(size_) {}

  [[nodiscard]] bool limited() const noexcept { return per_second_ > 0; }
  /// How many events may go now.
  [[nodiscard]] std::uint32_t available(std::uint64_t now_ns) noexcept {
    if (!limited()) return std::numeric_limits<std::uint32_t>::max();
    if (last_ns_ != 0 && now_ns > last_ns_) {
      tokens_ = std::min(size_, tokens_ + static_cast<double>(now_ns - last_ns_) * 1e-9 * per_second_);
    }
    last_ns_ = now_ns;
    return static_cast<std::uint32_t>(tokens_);
  }
  void spend(std::uint32_t events) noexcept {
    if (limited()) tokens_ -= events;
  }
  /// When the next token will be there.
  [[nodiscard]] std::uint64_t next_ns(std::uint64_t now_ns) const noexcept {
    if (!limited() || tokens_ >= 1) return now_ns;
    return now_ns + static_cast<std::uint64_t>((1 - tokens_) / per_second_ * 1e9) + 1;
  }

 private:
  double per_second_;
  double size_;
  double tokens_;
  std::uint64_t last_ns_ = 0;
};

}  // namespace sluice
