// The one timer that libcurl asks for: it is set anew all the time and seldom runs out.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace sluice_http {

class DueTime {
 public:
  using Clock = std::chrono::steady_clock;

  /// "At once" comes with every request; it needs no look at the clock. Negative: not any more.
  void set(long timeout_ms) {
    set_ = timeout_ms >= 0;
    if (set_) at_ = timeout_ms == 0 ? kAtOnce : Clock::now() + std::chrono::milliseconds(timeout_ms);
  }
  /// True once, when it has come.
  [[nodiscard]] bool take() {
    if (!set_ || (at_ != kAtOnce && Clock::now() < at_)) return false;
    set_ = false;
    return true;
  }
  /// How long a wait that ends at `until` may be, at most a minute.
  [[nodiscard]] int wait_ms(Clock::time_point until) const {
    const Clock::time_point first = set_ ? std::min(at_, until) : until;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }

 private:
  static constexpr Clock::time_point kAtOnce{};
  bool set_ = false;
  Clock::time_point at_;
};

}  // namespace sluice_http
