// How many requests per minute: a bucket that refills steadily and holds one minute's worth at most.
// The caller brings the time, so tests step it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice_http {

class RateLimit {
 public:
  /// 0 per minute = no limit.
  explicit RateLimit(std::uint64_t per_minute) noexcept
      : per_minute_(per_minute), tokens_(static_cast<double>(per_minute)) {}

  /// Takes one and says true; or says false, and retry_after_s() tells when one will be there.
  [[nodiscard]] bool take(std::uint64_t now_ns) noexcept {
    if (per_minute_ == 0) return true;
    refill(now_ns);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  [[nodiscard]] std::uint32_t retry_after_s() const noexcept {
    const double missing = std::max(0.0, 1 - tokens_);
    return 1 + static_cast<std::uint32_t>(missing * 60 / static_cast<double>(per_minute_));
  }
  /// In how many ms one will be there.
  [[nodiscard]] std::uint32_t wait_ms() const noexcept {
    const double missing = std::max(0.0, 1 - tokens_);
    return 1 + static_cast<std::uint32_t>(missing * 60'000 / static_cast<double>(per_minute_));
  }

 private:
  void refill(std::uint64_t now_ns) noexcept {
    if (now_ns > last_ns_ && last_ns_ != 0) {
      const double minutes = static_cast<double>(now_ns - last_ns_) / 60e9;
      const auto full = static_cast<double>(per_minute_);
      tokens_ = std::min(full, tokens_ + minutes * full);
    }
    last_ns_ = std::max(last_ns_, now_ns);
  }

  std::uint64_t per_minute_;
  std::uint64_t last_ns_ = 0;
  double tokens_;
};

}  // namespace sluice_http
