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

const char* JsonCursor::check_escapes(const char* backslash, const char* close, const char* end) noexcept {
  const char* p = backslash;
  while (p < close) {
    if (p[1] == 'u') {
      if (close - p < 6 || hex4(p + 2) < 0) return nullptr;
      p += 6;
    } else {
      if (simple_escape(p[1]) == '\0') return nullptr;
      p += 2;
    }
    const auto* next = p < close ? std::memchr(p, '\\', static_cast<std::size_t>(close - p)) : nullptr;
    if (next == nullptr) break;
    p = static_cast<const char*>(next);
  }
  const auto* next = close < end ? std::memchr(close, '\\', static_cast<std::size_t>(end - close)) : nullptr;
  return next != nullptr ? static_cast<const char*>(next) : end + 1;
}

bool JsonCursor::skip_container() noexcept {
  std::array<bool, kDeepest> outer;  // whether each container around the innermost is an object
  bool object = false;               // and the innermost itself
  std::uint32_t depth = 0;
  std::string_view scalar;
  JsonCursor here = *this;  // a local copy stays in registers
  for (;;) {
    // A value starts here.
    const char first = here.peek();
    if (first == '"') {
      if (!here.skip_string()) break;
    } else if (first == '{' || first == '[') {
      if (depth_ + depth >= nesting_) {
        here.too_deep_ = true;
        break;
      }
      outer[depth++] = object;
      object = first == '{';
      ++here.at_;
      if (here.peek() != (object ? '}' : ']')) {
        if (object && !here.skip_name()) break;
        continue;
      }
    } else if (!here.take_scalar(scalar)) {
      break;
    }
    // A value ended here, or an empty container is about to.
    char after = here.peek();
    while (after != ',') {
      if (after != (object ? '}' : ']')) return *this = here, false;
      ++here.at_;
      object = outer[--depth];
      if (depth == 0) return *this = here, true;
      if (here.at_ == here.end_) return *this = here, false;
      after = here.peek();
    }
    ++here.at_;
    if (object && !here.skip_name()) break;
  }
  *this = here;  // for the place of the error
  return false;
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
