// A problem in a configuration: where it is, what is wrong, and what would be right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// A place in a file. Lines and columns count from 1; line 0 means "no place" (an environment variable, a --set).
struct Mark {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

enum class Severity : std::uint8_t { error, note };

struct Problem {
  std::string file;  // as the user named it; "--set", "environment" or the like when there is no file
  Mark mark;
  std::string path;  // "backends.stream.delivery.retry.max_attempts"
  std::string text;  // what is wrong, and what would be right
  Severity severity = Severity::error;
};

using Problems = std::vector<Problem>;

/// "file:line:column: path: text", the form that every command prints; notes start their text with "note: ".
[[nodiscard]] std::string to_line(const Problem& problem);
[[nodiscard]] bool has_errors(const Problems& problems) noexcept;

}  // namespace sluice
