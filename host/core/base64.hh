// RFC 4648 section 4, read strictly: padded, no white space, no URL alphabet, pad bits zero.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice {

/// Writes at most text.size() / 4 * 3 bytes to out and returns how many; nothing when text is not base64.
/// out may be where text lies.
[[nodiscard]] std::optional<std::size_t> decode_base64(std::string_view text, char* out) noexcept;

}  // namespace sluice
