// Which tickets of a flight have been completed: one bit each.
#pragma once

#include <array>
#include <cstdint>

namespace sluice {

inline constexpr std::uint32_t kFlightEvents = 256;  // bits

using FlightTicks = std::array<std::uint64_t, kFlightEvents / 64>;

[[nodiscard]] inline bool is_done(const FlightTicks& ticks, std::uint32_t i) {
  return (ticks[i / 64] >> (i % 64) & 1) != 0;
}
inline void set_done(FlightTicks& ticks, std::uint32_t i) { ticks[i / 64] |= std::uint64_t{1} << (i % 64); }

}  // namespace sluice
