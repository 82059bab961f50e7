#include "core/problem.hh"

#include <algorithm>

namespace sluice {

std::string to_line(const Problem& problem) {
  std::string line = problem.file;
  if (problem.mark.line > 0) {
    line += ':' + std::to_string(problem.mark.line) + ':' + std::to_string(problem.mark.column);
  }
  if (!line.empty()) line += ": ";
  if (!problem.path.empty()) line += problem.path + ": ";
  if (problem.severity == Severity::note) line += "note: ";
  return line + problem.text;
}

bool has_errors(const Problems& problems) noexcept {
  return std::ranges::any_of(problems, [](const Problem& p) { return p.severity == Severity::error; });
}

}  // namespace sluice
