// A point in time as people type it on a command line. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

/// RFC 3339 ("2026-03-01T08:00:00Z"; without an offset it is UTC), a date ("2026-03-01": its first moment, UTC),
/// "now", or a duration with a minus in front ("-2h": two hours ago). Nanoseconds since 1970; nothing when it is none.
[[nodiscard]] std::optional<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_ns);

inline constexpr const char* kMomentHint = "a time such as 2026-03-01T08:00:00Z, 2026-03-01, -2h or now";

}  // namespace sluice
