// "did you mean …?": the nearest known word to one that is not known. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Single-character edits (insert, drop, replace, swap of neighbours) between two words, ignoring case and '-' against
/// '_'.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest candidate when it is near enough to be a slip of the finger; else empty.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean \"x\"?" or, when nothing is near, "known are: a, b, c"; empty without candidates.
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice
