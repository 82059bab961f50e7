// ASCII without locale: header names and DNS names compare without case, whatever the process's locale is.
#pragma once

#include <algorithm>
#include <string_view>

namespace sluice_http {

[[nodiscard]] constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

[[nodiscard]] inline bool same_text(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

[[nodiscard]] inline bool begins_with(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && same_text(text.substr(0, prefix.size()), prefix);
}

}  // namespace sluice_http
