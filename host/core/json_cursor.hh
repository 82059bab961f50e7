// A walk over the tokens of one JSON text that checks the grammar (RFC 8259) of everything it passes and knows where
// every value stands in the source. Inline: this is the innermost loop of decoding.
#pragma once

#include "core/json_tokens.hh"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {

/// A string as it stands between its quotes.
struct JsonString {
  std::string_view raw;
  bool escaped = false;  // raw holds at least one backslash; its escapes are well-formed
};

class JsonCursor {
 public:
  static constexpr std::uint32_t kDeepest = 1024;  // containers inside each other, whatever the configuration says

  /// The text must be split already, be followed by padding, and outlive the cursor.
  JsonCursor(std::string_view text, std::span<const std::uint32_t> offsets, std::uint32_t nesting) noexcept
      : text_(text.data()),
        at_(offsets.data()),
        end_(offsets.data() + offsets.size()),
        nesting_(nesting < kDeepest ? nesting : kDeepest) {
    const auto* found = std::memchr(text.data(), '\\', text.size());
    backslash_ = found != nullptr ? static_cast<const char*>(found) : text.data() + text.size() + 1;
  }

  /// False when the text cannot be a closed container: then nothing may be walked. Every token is read only after the
  /// one before it was accepted, and only a closing bracket can be the last: so this keeps the walk inside the tokens.
  [[nodiscard]] bool is_closed() const noexcept {
    return at_ != end_ && ((peek() == '{' && text_[end_[-1]] == '}') || (peek() == '[' && text_[end_[-1]] == ']'));
  }
  [[nodiscard]] bool ended() const noexcept { return at_ == end_; }
  /// The first character of the next token.
  [[nodiscard]] char peek() const noexcept { return text_[*at_]; }
  [[nodiscard]] const char* position() const noexcept { return text_ + *at_; }
  [[nodiscard]] std::size_t offset() const noexcept { return *at_; }
  [[nodiscard]] bool too_deep() const noexcept { return too_deep_; }

  /// The caller walks `count` containers itself; they count towards the nesting.
  void enter(std::uint32_t count) noexcept { depth_ = count; }

  /// Passes one punctuation token.
  [[nodiscard]] bool take(char wanted) noexcept {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  /// Passes a string; peek() must be '"'.
  [[nodiscard]] bool take_string(JsonString& out) noexcept {
    const char* start = text_ + *at_++ + 1;
    const char* close = text_ + *at_ - 1;
    while (is_blank(*close)) --close;
    if (close < start || *close != '"') return false;
    out.raw = {start, static_cast<std::size_t>(close - start)};
    out.escaped = backslash_ < close;
    return !out.escaped || pass_escapes(close);
  }

  /// Passes a number, true, false or null and gives its text.
  [[nodiscard]] bool take_scalar(std::string_view& out) noexcept {
    const char* start = text_ + *at_;
    const char* end = scalar_end(start);
    if (end == nullptr) return false;
    out = {start, static_cast<std::size_t>(end - start)};
    return true;
  }

  /// Passes any value, all of it checked, and gives its source text.
  [[nodiscard]] bool take_value(std::string_view& out) noexcept {
    const char* start = text_ + *at_;
    if (*start == '{' || *start == '[') {
      if (!skip_container()) return false;
      out = {start, static_cast<std::size_t>(text_ + at_[-1] + 1 - start)};
      return true;
    }
    if (*start != '"') return take_scalar(out);
    JsonString string;
    if (!take_string(string)) return false;
    out = {start, string.raw.size() + 2};
    return true;
  }

 private:
  static constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  static constexpr bool is_digit(char c) noexcept { return static_cast<unsigned char>(c - '0') <= 9; }

  /// Checks the escapes from `backslash` up to the closing quote; returns the next backslash behind the string (or a
  /// place behind `end`), or null.
  static const char* check_escapes(const char* backslash, const char* close, const char* end) noexcept;
  bool pass_escapes(const char* close) noexcept {
    backslash_ = check_escapes(backslash_, close, text_ + *end_);
    return backslash_ != nullptr;
  }
  bool skip_container() noexcept;

  /// As take_string, when nobody wants the text: without escapes there is nothing left to look at.
  bool skip_string() noexcept {
    const char* next = text_ + *++at_;
    if (backslash_ >= next) return true;
    const char* close = next - 1;
    while (is_blank(*close)) --close;
    return pass_escapes(close);
  }
  bool skip_name() noexcept { return peek() == '"' && skip_string() && take(':'); }

  /// A scalar must be followed by a blank or by the next token.
  const char* scalar_end(const char* start) noexcept {
    const char* end = *start == 't' || *start == 'n' || *start == 'f' ? literal_end(start) : number_end(start);
    ++at_;
    return end != nullptr && (end == text_ + *at_ || is_blank(*end)) ? end : nullptr;
  }
  static const char* literal_end(const char* p) noexcept {
    if (std::memcmp(p, "true", 4) == 0 || std::memcmp(p, "null", 4) == 0) return p + 4;
    return std::memcmp(p, "false", 5) == 0 ? p + 5 : nullptr;
  }
  static const char* number_end(const char* p) noexcept {
    if (*p == '-') ++p;
    if (*p == '0') {
      ++p;
    } else {
      if (!is_digit(*p)) return nullptr;
      while (is_digit(*p)) ++p;
    }
    if (*p == '.') {
      if (!is_digit(*++p)) return nullptr;
      while (is_digit(*p)) ++p;
    }
    if (*p == 'e' || *p == 'E') {
      ++p;
      if (*p == '+' || *p == '-') ++p;
      if (!is_digit(*p)) return nullptr;
      while (is_digit(*p)) ++p;
    }
    return p;
  }

  const char* text_;
  const std::uint32_t* at_;
  const std::uint32_t* end_;
  const char* backslash_ = nullptr;  // the first one at or behind the current token, or behind the text
  std::uint32_t nesting_;
  std::uint32_t depth_ = 0;  // containers that the caller has opened: see enter()
  bool too_deep_ = false;
};

/// Writes the unescaped text to out, which must have room for raw.size() bytes; returns the length, or npos when the
/// string has no characters of its own (a surrogate without its other half). out may be where raw lies.
[[nodiscard]] std::size_t unescape_json(std::string_view raw, char* out) noexcept;

}  // namespace sluice
