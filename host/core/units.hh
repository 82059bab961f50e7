// Durations, sizes and rates as people write them: "250ms", "16MiB", "5000/s". Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// "250ms", "1s", "1.5s", "2m", "1h", "7d". A unit is required.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// "512B", "64KiB", "16MiB", "1GiB" (1024) and "10KB", "10MB", "1GB" (1000). A unit is required.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
/// "5000/s", "100/m", "20/h", in events per second.
[[nodiscard]] std::optional<double> parse_rate(std::string_view text);

/// The shortest exact way to write it; parses back to the same value.
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);
[[nodiscard]] std::string size_text(std::uint64_t bytes);
[[nodiscard]] std::string rate_text(double per_second);

inline constexpr const char* kDurationHint = "a duration with its unit, such as 250ms, 1s, 2m or 1h";
inline constexpr const char* kSizeHint = "a size with its unit, such as 64KiB, 16MiB or 10MB";
inline constexpr const char* kRateHint = "a rate with its unit, such as 5000/s or 100/m";

}  // namespace sluice
