#include "core/moment.hh"

#include "core/timestamp.hh"
#include "core/units.hh"

#include <string>

namespace sluice {

std::optional<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_ns) {
  if (text == "now") return now_unix_ns;
  if (text.starts_with('-')) {
    const auto ago = parse_duration(text.substr(1));
    if (!ago) return std::nullopt;
    return now_unix_ns - std::int64_t{ago->count()} * 1'000'000;
  }
  constexpr std::size_t kDateLength = 10;
  const std::string whole = text.size() == kDateLength ? std::string(text) + "T00:00:00Z" : std::string(text);
  const auto instant = parse_timestamp(whole, Offset::optional);
  if (!instant) return std::nullopt;
  // What nanoseconds in 64 bits can say: 1678 to 2261.
  constexpr std::int64_t kMostSeconds = 9'200'000'000;
  if (instant->seconds > kMostSeconds || instant->seconds < -kMostSeconds) return std::nullopt;
  return instant->seconds * 1'000'000'000 + instant->nanoseconds;
}

}  // namespace sluice
