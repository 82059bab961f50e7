#include "core/json_cursor.hh"

#include <sluice/cpp/utf8.hh>

namespace sluice {

namespace {

constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char folded = static_cast<char>(c | 0x20);
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

/// Four hexadecimal digits, or -1.
int hex4(const char* p) noexcept {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

constexpr char simple_escape(char c) noexcept {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

/// A place to write to, as append_utf8 wants it.
struct Output {
  char* at;
  void push_back(char c) noexcept { *at++ = c; }
};

}  // namespace

bool JsonCursor::check_escapes(const char* close) noexcept {
  const char* p = backslash_;
  while (p < close) {
    if (p[1] == 'u') {
      if (close - p < 6 || hex4(p + 2) < 0) return false;
      p += 6;
    } else {
      if (simple_escape(p[1]) == '\0') return false;
      p += 2;
    }
    const auto* next = p < close ? std::memchr(p, '\\', static_cast<std::size_t>(close - p)) : nullptr;
    if (next == nullptr) break;
    p = static_cast<const char*>(next);
  }
  find_backslash(close);
  return true;
}

bool JsonCursor::skip_container() noexcept {
  std::array<bool, kDeepest> object;  // what each open container is; written before it is read
  std::uint32_t depth = 0;
  JsonString string;
  std::string_view scalar;
  for (;;) {
    // A value starts here.
    const char first = peek();
    if (first == '{' || first == '[') {
      if (depth_ + depth >= nesting_) return too_deep_ = true, false;
      object[depth++] = first == '{';
      ++at_;
      if (peek() != (first == '{' ? '}' : ']')) {
        if (first == '[') continue;
        if (peek() != '"' || !take_string(string) || !take(':')) return false;
        continue;
      }
    } else if (first == '"') {
      if (!take_string(string)) return false;
    } else if (!take_scalar(scalar)) {
      return false;
    }
    // A value ended here, or an empty container is about to.
    while (peek() != ',') {
      if (peek() != (object[depth - 1] ? '}' : ']')) return false;
      ++at_;
      if (--depth == 0) return true;
      if (at_ == end_) return false;
    }
    ++at_;
    if (object[depth - 1] && (peek() != '"' || !take_string(string) || !take(':'))) return false;
  }
}

std::size_t unescape_json(std::string_view raw, char* out) noexcept {
  Output output{out};
  for (std::size_t i = 0; i < raw.size();) {
    if (raw[i] != '\\') {
      output.push_back(raw[i++]);
      continue;
    }
    if (raw[i + 1] != 'u') {
      output.push_back(simple_escape(raw[i + 1]));
      i += 2;
      continue;
    }
    auto code = static_cast<std::uint32_t>(hex4(raw.data() + i + 2));
    i += 6;
    if (code >= 0xD800 && code <= 0xDFFF) {
      if (code >= 0xDC00 || raw.size() - i < 6 || raw[i] != '\\' || raw[i + 1] != 'u') return std::string_view::npos;
      const auto low = static_cast<std::uint32_t>(hex4(raw.data() + i + 2));
      if (low < 0xDC00 || low > 0xDFFF) return std::string_view::npos;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      i += 6;
    }
    append_utf8(output, code);
  }
  return static_cast<std::size_t>(output.at - out);
}

}  // namespace sluice
