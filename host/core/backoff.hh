// How long to wait before trying again, and how often. Pure: randomness comes in as a number.
#pragma once

#include "core/config.hh"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace sluice {

/// A small fast random generator (splitmix64): one per lane, seeded once, so that a simulated run repeats exactly.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  /// 0 <= result < 1.
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  std::uint64_t below(std::uint64_t bound) noexcept { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t state_;
};

/// The wait before try number `attempt + 1`, after `attempt` failed ones. Full jitter: anything from 0 to the computed
/// delay, so that many hosts that failed together do not return together.
[[nodiscard]] inline milliseconds retry_delay(const RetryPolicy& policy, std::uint32_t attempt, Random& random) {
  double delay = static_cast<double>(policy.delay.count());
  const auto max_delay = static_cast<double>(policy.max_delay.count());
  const std::uint32_t steps = attempt > 0 ? attempt - 1 : 0;
  switch (policy.backoff) {
    case RetryPolicy::Backoff::constant:
      break;
    case RetryPolicy::Backoff::linear:
      delay *= steps + 1;
      break;
    case RetryPolicy::Backoff::exponential:
      for (std::uint32_t i = 0; i < steps && delay < max_delay; ++i) delay *= 2;
      break;
  }
  delay = std::min(delay, max_delay);
  if (policy.jitter == RetryPolicy::Jitter::full) delay *= random.unit();
  return milliseconds(static_cast<std::int64_t>(delay));
}

/// The wait of a lane whose far side is away, after `failures` failed tries in a row: equal jitter, 100 ms to 5 s.
[[nodiscard]] inline milliseconds away_delay(std::uint32_t failures, Random& random) {
  auto delay = static_cast<double>(limits::kAwayBackoffMin.count());
  const auto max_delay = static_cast<double>(limits::kAwayBackoffMax.count());
  for (std::uint32_t i = 1; i < failures && delay < max_delay; ++i) delay *= 2;
  delay = std::min(delay, max_delay);
  return milliseconds(static_cast<std::int64_t>(delay * (0.5 + 0.5 * random.unit())));
}

}  // namespace sluice
