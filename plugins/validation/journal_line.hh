// How the words of a journal line are written and read again: numbers, identities, and a text at the end.
#pragma once

#include "id_window.hh"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace validation {

inline void put_number(std::string& to, std::uint64_t value) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

inline void put_identity(std::string& to, const IdHash& identity) {
  constexpr char kHex[] = "0123456789abcdef";
  char digits[32];
  for (int i = 0; i < 16; ++i) {
    digits[i] = kHex[identity.high >> (60 - 4 * i) & 15];
    digits[16 + i] = kHex[identity.low >> (60 - 4 * i) & 15];
  }
  to.append(digits, sizeof(digits));
}

/// Texts end a line: only what would end it early is escaped.
inline void put_text(std::string& to, std::string_view text) {
  for (const char c : text) {
    if (c == '\n')
      to += "\\n";
    else if (c == '\\')
      to += "\\\\";
    else
      to += c;
  }
}

inline std::string text_of(std::string_view escaped) {
  std::string text;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && i + 1 < escaped.size())
      text += escaped[++i] == 'n' ? '\n' : escaped[i];
    else
      text += escaped[i];
  }
  return text;
}

/// Takes what stands before the next space.
inline std::string_view take_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

template <class Number>
bool take_number(std::string_view& rest, Number& value) {
  const std::string_view word = take_word(rest);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && !word.empty() && end == word.data() + word.size();
}

inline bool take_identity(std::string_view& rest, IdHash& identity) {
  const std::string_view word = take_word(rest);
  if (word.size() != 32) return false;
  const auto half = [&](std::size_t from, std::uint64_t& to) {
    const char* begin = word.data() + from;
    const auto [end, error] = std::from_chars(begin, begin + 16, to, 16);
    return error == std::errc() && end == begin + 16;
  };
  return half(0, identity.high) && half(16, identity.low);
}

}  // namespace validation
