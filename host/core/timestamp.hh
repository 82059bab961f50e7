// RFC 3339 timestamps, and instants without a clock or a time zone database.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

struct Instant {
  std::int64_t seconds = 0;  // since the Unix epoch; may be negative
  std::uint32_t nanoseconds = 0;
  bool has_offset = true;
};

enum class Offset : std::uint8_t {
  required,  // RFC 3339
  optional,  // other envelopes: without an offset it is UTC, and a space may stand for the T
};

/// A leap second (23:59:60 UTC at the end of a month) counts as the second after 23:59:59. Fractions finer than a
/// nanosecond are cut.
[[nodiscard]] std::optional<Instant> parse_timestamp(std::string_view text, Offset offset = Offset::required) noexcept;

/// "2026-03-01T08:09:10.123Z"; writes 24 characters. Years outside 0000..9999 are clamped.
void write_timestamp(std::int64_t unix_ns, char* out) noexcept;

}  // namespace sluice
