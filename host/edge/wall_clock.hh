// The machine's clocks.
#pragma once

#include "core/ports.hh"

#include <ctime>

namespace sluice {

class WallClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const noexcept override {
    return static_cast<std::uint64_t>(read(CLOCK_MONOTONIC));
  }
  [[nodiscard]] std::int64_t unix_ns() const noexcept override { return read(CLOCK_REALTIME); }

 private:
  static std::int64_t read(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }
};

}  // namespace sluice
