// A receiver that refuses the login takes nothing from anybody: it is left alone for a while, all groups together, and
// nothing is charged to a message. The pause ends early when the secret has become another one. Pure.
#pragma once

#include <cstdint>

namespace alerting {

class Pause {
 public:
  /// Servers lock out who tries a wrong password too often.
  static constexpr std::int64_t kMs = 60'000;

  /// `secret`: a print of the one that was refused.
  void begin(std::int64_t now_ms, std::uint64_t secret) noexcept {
    until_ms_ = now_ms + kMs;
    secret_ = secret;
  }
  void end() noexcept { until_ms_ = 0; }
  /// `secret`: asked for a print of the secret as it is now. A clock that was set back holds nothing up.
  template <class Secret>
  [[nodiscard]] bool holds(std::int64_t now_ms, Secret&& secret) {
    if (until_ms_ == 0) return false;
    if (now_ms >= until_ms_ || until_ms_ - now_ms > kMs || secret() != secret_) until_ms_ = 0;
    return until_ms_ != 0;
  }
  [[nodiscard]] std::int64_t until_ms() const noexcept { return until_ms_; }

 private:
  std::int64_t until_ms_ = 0;
  std::uint64_t secret_ = 0;
};

}  // namespace alerting
