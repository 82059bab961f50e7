#include "core/cesql_lexer.hh"

#include "core/cesql_tree.hh"

#include <algorithm>

namespace sluice::cesql {

namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_word_part(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

void Lexer::next() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  start_ = at_;
  if (at_ == text_.size()) {
    token_ = Token::end;
    return;
  }
  const char c = text_[at_];
  if (c == '\'' || c == '"') return read_string(c);
  if (is_word_part(c)) return read_word();
  const auto take = [&](Token token, std::size_t length) {
    token_ = token;
    at_ += length;
  };
  switch (c) {
    case '(':
      return take(Token::open, 1);
    case ')':
      return take(Token::close, 1);
    case ',':
      return take(Token::comma, 1);
    case '+':
      return take(Token::plus, 1);
    case '-':
      return take(Token::minus, 1);
    case '*':
      return take(Token::star, 1);
    case '/':
      return take(Token::slash, 1);
    case '%':
      return take(Token::percent, 1);
    case '=':
      return take(Token::equal, 1);
    case '!':
      if (peek(1) == '=') return take(Token::unequal, 2);
      break;
    case '<':
      if (peek(1) == '>') return take(Token::unequal, 2);
      return peek(1) == '=' ? take(Token::less_or_equal, 2) : take(Token::less, 1);
    case '>':
      return peek(1) == '=' ? take(Token::greater_or_equal, 2) : take(Token::greater, 1);
    default:
      break;
  }
  throw ParseError{start_, "a stray character"};
}

/// Only the string's own quote is unescaped; other backslashes stay, since LIKE has uses for them.
void Lexer::read_string(char quote) {
  value_.clear();
  for (++at_;; ++at_) {
    if (at_ >= text_.size()) throw ParseError{start_, "a string that is not closed"};
    const char c = text_[at_];
    if (c == quote) break;
    if (c == '\\' && peek(1) == quote) ++at_;
    value_ += text_[at_];
  }
  ++at_;
  token_ = Token::string;
}

void Lexer::read_word() {
  while (at_ < text_.size() && is_word_part(text_[at_])) ++at_;
  value_ = text_.substr(start_, at_ - start_);
  token_ = std::ranges::all_of(value_, is_digit) ? Token::integer : Token::word;
  upper_ = value_;
  for (char& each : upper_) {
    if (each >= 'a' && each <= 'z') each = static_cast<char>(each - 32);
  }
}

}  // namespace sluice::cesql
