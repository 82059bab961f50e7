// What a log line looks like, apart from where it goes. Pure.
#pragma once

#include "core/ports.hh"

#include <span>
#include <string>
#include <string_view>

namespace sluice {

enum class LogFormat : std::uint8_t { human, json };

/// A line is never longer than this. It is also what a pipe takes in one piece (PIPE_BUF), so lines of several
/// processes never mix.
inline constexpr std::size_t kLogLineBytes = 4096;
/// What the time and the level in front, and the line end, may take of it.
inline constexpr std::size_t kLogFrameBytes = 96;

[[nodiscard]] constexpr std::string_view to_text(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "error";
}

/// Appends `Sentence key=value key="two words"`, or `"message":"Sentence","key":"value","number":12` (JSON members
/// without the braces). Too long values are cut with "…"; fields for which no room is left are left out.
void append_log_text(std::string& out, LogFormat format, std::string_view sentence, std::span<const Field> fields);

}  // namespace sluice
