// The words of a CESQL expression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::cesql {

enum class Token : std::uint8_t {
  end,
  string,   // text: unescaped
  integer,  // digits only: the sign is an operator
  word,     // text: as written; a keyword, an attribute or a function
  open,     // (
  close,    // )
  comma,
  plus,
  minus,
  star,
  slash,
  percent,
  equal,
  unequal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { next(); }

  [[nodiscard]] Token token() const noexcept { return token_; }
  [[nodiscard]] const std::string& text() const noexcept { return value_; }
  /// A word in upper case: keywords and functions ignore case.
  [[nodiscard]] const std::string& upper() const noexcept { return upper_; }
  [[nodiscard]] std::size_t at() const noexcept { return start_; }
  [[nodiscard]] bool is_word(std::string_view upper) const noexcept { return token_ == Token::word && upper_ == upper; }
  void next();

 private:
  void read_string(char quote);
  void read_word();
  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  std::string_view text_;
  std::size_t at_ = 0, start_ = 0;
  Token token_ = Token::end;
  std::string value_, upper_;
};

}  // namespace sluice::cesql
