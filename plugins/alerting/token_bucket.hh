// How often a receiver is written to: `per_minute` on average, `burst` at once. Time comes in as a number.
#pragma once

#include <algorithm>
#include <cstdint>

namespace alerting {

class TokenBucket {
 public:
  TokenBucket(std::uint64_t per_minute, std::uint64_t burst)
      : per_ms_(static_cast<double>(per_minute) / 60'000.0), burst_(static_cast<double>(burst)), tokens_(burst_) {}

  /// In how many ms there is one; 0: now.
  [[nodiscard]] std::int64_t wait_ms(std::int64_t now_ms) noexcept {
    if (now_ms > last_ms_) {
      if (last_ms_ != 0) tokens_ = std::min(burst_, tokens_ + static_cast<double>(now_ms - last_ms_) * per_ms_);
      last_ms_ = now_ms;
    }
    return tokens_ >= 1 ? 0 : static_cast<std::int64_t>((1 - tokens_) / per_ms_) + 1;
  }
  void take() noexcept { tokens_ -= 1; }

 private:
  double per_ms_, burst_, tokens_;
  std::int64_t last_ms_ = 0;
};

}  // namespace alerting
