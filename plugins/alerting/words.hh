// What a message says, as plain text: shared by the formats, so that they say the same.
#pragma once

#include "alert.hh"

#include <string>

namespace alerting {

/// "[RESOLVED] " or "[REPEAT] " before a title, or nothing.
[[nodiscard]] std::string state_mark(const Message& message);
/// The title of the whole: that of its one alert, or how many there are.
[[nodiscard]] std::string headline(const Message& message);
/// "seen 10000 times, first 12:00:01 UTC, last 12:00:09 UTC"; empty for a single event.
[[nodiscard]] std::string history(const Line& line);
/// "and 990 alerts more"; empty when all are shown.
[[nodiscard]] std::string remainder(const Message& message);
/// "rule · severity · 10,000 events"
[[nodiscard]] std::string footer(const Message& message);
/// "1,234,567"
[[nodiscard]] std::string thousands(std::uint64_t number);

}  // namespace alerting
