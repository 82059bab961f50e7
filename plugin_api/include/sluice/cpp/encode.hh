// Writing JSON strings and base64. Appends to any container of char with push_back and append.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

namespace detail {
inline constexpr auto kPlainInJson = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < plain.size(); ++c) plain[c] = true;
  plain['"'] = plain['\\'] = false;
  return plain;
}();
inline constexpr char kHexDigits[] = "0123456789abcdef";
}  // namespace detail

/// True when text may stand between quotes in JSON as it is.
[[nodiscard]] inline bool is_plain_json_text(std::string_view text) noexcept {
  for (const char c : text) {
    if (!detail::kPlainInJson[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

/// Appends what stands between the quotes of a JSON string. text is UTF-8 and is not checked.
inline void append_json_escaped(std::string& out, std::string_view text) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (detail::kPlainInJson[c]) continue;
    out.append(text, done, i - done);
    done = i + 1;
    out += '\\';
    switch (c) {
      case '"':
        out += '"';
        break;
      case '\\':
        out += '\\';
        break;
      case '\b':
        out += 'b';
        break;
      case '\f':
        out += 'f';
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out.append({'u', '0', '0', detail::kHexDigits[c >> 4], detail::kHexDigits[c & 15]});
    }
  }
  out.append(text, done, text.size() - done);
}

inline void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

/// RFC 4648 section 4: padded, the ordinary alphabet.
inline void append_base64(std::string& out, std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += kAlphabet[three >> 18];
    out += kAlphabet[(three >> 12) & 63];
    out += i + 1 < bytes.size() ? kAlphabet[(three >> 6) & 63] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[three & 63] : '=';
  }
}

}  // namespace sluice
