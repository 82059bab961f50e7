// Texts as CESQL sees them: in characters (code points of UTF-8), not bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::cesql {

[[nodiscard]] std::size_t count_characters(std::string_view text) noexcept;
/// The byte at which character number `count` begins; the text's size when it has fewer.
[[nodiscard]] std::size_t skip_characters(std::string_view text, std::size_t count) noexcept;
/// The whole text against a pattern: `%` any run, `_` one character, `\%` and `\_` themselves. Time: at most the
/// product of both lengths.
[[nodiscard]] bool is_like(std::string_view text, std::string_view pattern) noexcept;

}  // namespace sluice::cesql
