#include "core/cesql_text.hh"

namespace sluice::cesql {

namespace {

constexpr bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

constexpr std::size_t next_character(std::string_view text, std::size_t at) noexcept {
  do {
    ++at;
  } while (at < text.size() && continues(text[at]));
  return at;
}

}  // namespace

std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) count += continues(c) ? 0 : 1;
  return count;
}

std::size_t skip_characters(std::string_view text, std::size_t count) noexcept {
  std::size_t at = 0;
  while (count > 0 && at < text.size()) {
    at = next_character(text, at);
    --count;
  }
  return at;
}

/// A mismatch lets the latest `%` take one character more; earlier ones need no second look.
bool is_like(std::string_view text, std::string_view pattern) noexcept {
  std::size_t p = 0, t = 0, after_run = pattern.npos, resume = 0;
  while (t < text.size()) {
    const char wanted = p < pattern.size() ? pattern[p] : '\0';
    if (p < pattern.size() && wanted == '%') {
      after_run = ++p;
      resume = t;
      continue;
    }
    if (p < pattern.size() && wanted == '_') {
      ++p;
      t = next_character(text, t);
      continue;
    }
    const bool escaped = wanted == '\\' && p + 1 < pattern.size() && (pattern[p + 1] == '%' || pattern[p + 1] == '_');
    if (p < pattern.size() && text[t] == pattern[p + (escaped ? 1 : 0)]) {
      p += escaped ? 2 : 1;
      ++t;
    } else if (after_run != pattern.npos) {
      p = after_run;
      t = resume = next_character(text, resume);
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace sluice::cesql
