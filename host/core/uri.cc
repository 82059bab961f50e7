#include "core/uri.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace sluice {

namespace {

enum : std::uint8_t {
  kAlpha = 1,
  kDigit = 2,
  kHex = 4,
  kSchemeRest = 8,   // ALPHA DIGIT + - .
  kUserOrHost = 16,  // unreserved and sub-delims (':' is added where it is allowed)
  kPath = 32,        // pchar and '/'
  kQuery = 64,       // pchar, '/' and '?'
};

constexpr auto kClass = [] {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&](std::string_view characters, int bits) {
    for (const char c : characters) table[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(bits);
  };
  for (int c = 0; c < 26; ++c) {
    for (const unsigned char first : {'a', 'A'}) {
      table[std::size_t{first} + static_cast<std::size_t>(c)] |= kAlpha | kSchemeRest | kUserOrHost | kPath | kQuery;
    }
  }
  add("0123456789", kDigit | kHex | kSchemeRest | kUserOrHost | kPath | kQuery);
  add("abcdefABCDEF", kHex);
  add("+-.", kSchemeRest);
  add("-._~!$&'()*+,;=", kUserOrHost | kPath | kQuery);
  add(":@/", kPath | kQuery);
  add("?", kQuery);
  return table;
}();

constexpr bool is(char c, int bits) noexcept { return (kClass[static_cast<unsigned char>(c)] & bits) != 0; }

/// All characters of one class, or percent-encoded.
bool consists_of(std::string_view text, int bits, char also = '\0') noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is(text[i], bits) || (also != '\0' && text[i] == also)) continue;
    if (text[i] != '%' || text.size() - i < 3 || !is(text[i + 1], kHex) || !is(text[i + 2], kHex)) return false;
    i += 2;
  }
  return true;
}

bool is_scheme(std::string_view text) noexcept {
  if (text.empty() || !is(text.front(), kAlpha)) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is(c, kSchemeRest); });
}

bool is_ip_literal(std::string_view inside) noexcept {
  if (!inside.empty() && (inside.front() == 'v' || inside.front() == 'V')) {  // IPvFuture
    const std::size_t dot = inside.find('.');
    if (dot == inside.npos || dot < 2 || dot + 1 == inside.size()) return false;
    for (const char c : inside.substr(1, dot - 1)) {
      if (!is(c, kHex)) return false;
    }
    return std::all_of(inside.begin() + static_cast<std::ptrdiff_t>(dot) + 1, inside.end(),
                       [](char c) { return is(c, kUserOrHost) || c == ':'; });
  }
  std::array<char, 46> copy{};
  if (inside.size() >= copy.size()) return false;
  std::copy(inside.begin(), inside.end(), copy.begin());
  in6_addr address{};
  return inside.find('\0') == inside.npos && inet_pton(AF_INET6, copy.data(), &address) == 1;
}

bool is_authority(std::string_view text) noexcept {
  if (const std::size_t at = text.find('@'); at != text.npos) {
    if (!consists_of(text.substr(0, at), kUserOrHost, ':')) return false;
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == text.npos || !is_ip_literal(text.substr(1, close - 1))) return false;
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') return false;
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    if (!consists_of(text.substr(0, colon), kUserOrHost)) return false;
    port = text.substr(colon);
  }
  if (!port.empty()) port.remove_prefix(1);
  return std::all_of(port.begin(), port.end(), [](char c) { return is(c, kDigit); });
}

struct Found {
  bool valid = false;
  bool scheme = false;
  bool fragment = false;
};

Found parse(std::string_view text) noexcept {
  Found found;
  if (const std::size_t hash = text.find('#'); hash != text.npos) {
    if (!consists_of(text.substr(hash + 1), kQuery)) return found;
    found.fragment = true;
    text = text.substr(0, hash);
  }
  if (const std::size_t mark = text.find('?'); mark != text.npos) {
    if (!consists_of(text.substr(mark + 1), kQuery)) return found;
    text = text.substr(0, mark);
  }
  // A colon before the first slash ends a scheme; a relative path may not have one there.
  const std::size_t colon = text.find_first_of(":/");
  if (colon != text.npos && text[colon] == ':') {
    if (!is_scheme(text.substr(0, colon))) return found;
    found.scheme = true;
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    const std::size_t slash = std::min(text.find('/', 2), text.size());
    if (!is_authority(text.substr(2, slash - 2))) return found;
    text.remove_prefix(slash);
  }
  found.valid = consists_of(text, kPath);
  return found;
}

}  // namespace

bool is_uri_reference(std::string_view text) noexcept {
  // Most sources are absolute paths of plain characters.
  if (text.size() > 1 && text[0] == '/' && text[1] != '/' &&
      std::all_of(text.begin(), text.end(), [](char c) { return is(c, kPath); })) {
    return true;
  }
  return !text.empty() && parse(text).valid;
}

bool is_absolute_uri(std::string_view text) noexcept {
  const Found found = parse(text);
  return found.valid && found.scheme && !found.fragment;
}

}  // namespace sluice
