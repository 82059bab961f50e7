// From text to tree, by the grammar of CESQL 1.0. From tight to loose: functions and parentheses; NOT and the sign;
// LIKE; IN; * / %; + -; comparisons; AND, OR, XOR.
//
// Where the specification is of two minds:
// - AND, OR and XOR share one level. Its text says left to right, its published grammar right to left. An expression in
//   which that could matter is refused, and parentheses are the cure.
// - `4-1` is an error in the grammar, whose sign belongs to the number, and right by the text. It is taken.
// - Attribute names are lower case, but the test kit writes EXISTS SOURCE: upper case is folded.
#include "core/cesql_lexer.hh"
#include "core/cesql_tree.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace sluice::cesql {

namespace {

struct Function {
  std::string_view name;
  std::size_t least, most;  // arguments
  Op op;
};
constexpr std::size_t kAnyNumber = ~std::size_t{0};
constexpr std::array kFunctions{
    Function{"LENGTH", 1, 1, Op::length},
    Function{"CONCAT", 0, kAnyNumber, Op::concat},
    Function{"CONCAT_WS", 1, kAnyNumber, Op::concat_ws},
    Function{"LOWER", 1, 1, Op::lower},
    Function{"UPPER", 1, 1, Op::upper},
    Function{"TRIM", 1, 1, Op::trim},
    Function{"LEFT", 2, 2, Op::left},
    Function{"RIGHT", 2, 2, Op::right},
    Function{"SUBSTRING", 2, 3, Op::substring},
    Function{"ABS", 1, 1, Op::abs},
    Function{"INT", 1, 1, Op::to_integer},
    Function{"BOOL", 1, 1, Op::to_boolean},
    Function{"STRING", 1, 1, Op::to_string},
};
constexpr std::array<std::string_view, 9> kKeywords{"AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE"};

bool is_keyword(std::string_view upper) { return std::ranges::find(kKeywords, upper) != kKeywords.end(); }

class Parser {
 public:
  explicit Parser(std::string_view text) : words_(text) { tree_.text = text; }

  Tree parse() {
    if (words_.token() == Token::end) fail("the expression is empty");
    tree_.root = logic();
    if (words_.token() != Token::end) fail("something follows the expression");
    return std::move(tree_);
  }

 private:
  using Index = std::uint32_t;

  [[noreturn]] void fail(std::string what) const { throw ParseError{words_.at(), std::move(what)}; }

  Index add(Op op, std::size_t at, std::vector<Index> children) {
    Node node;
    node.op = op;
    node.at = static_cast<std::uint32_t>(at);
    for (const Index child : children) node.depth = std::max(node.depth, tree_.nodes[child].depth + 1);
    if (node.depth > kDeepestExpression) too_deep();
    node.children = std::move(children);
    tree_.nodes.push_back(std::move(node));
    return static_cast<Index>(tree_.nodes.size() - 1);
  }
  [[noreturn]] void too_deep() const {
    fail("operators and parentheses may be nested " + std::to_string(kDeepestExpression) + " deep at most");
  }
  Node& node(Index index) { return tree_.nodes[index]; }

  Index logic() {
    if (++depth_ > kDeepestExpression) too_deep();
    Index left = comparison();
    std::string joined_by;
    std::size_t at = 0;
    std::vector<Index> children{left};
    while (words_.is_word("AND") || words_.is_word("OR") || words_.is_word("XOR")) {
      if (joined_by.empty()) {
        joined_by = words_.upper();
        at = words_.at();
      } else if (joined_by != words_.upper()) {
        fail(joined_by + " and " + words_.upper() +
             " have the same rank, and readers disagree on their order: use parentheses");
      }
      words_.next();
      children.push_back(comparison());
    }
    --depth_;
    if (joined_by.empty()) return left;
    return add(joined_by == "AND"  ? Op::logic_and
               : joined_by == "OR" ? Op::logic_or
                                   : Op::logic_xor,
               at, std::move(children));
  }

  template <class Next>
  Index left_to_right(Next next, std::initializer_list<std::pair<Token, Op>> operators) {
    Index left = (this->*next)();
    for (;;) {
      const auto found = std::ranges::find(operators, words_.token(), &std::pair<Token, Op>::first);
      if (found == operators.end()) return left;
      const std::size_t at = words_.at();
      words_.next();
      const Index right = (this->*next)();
      left = add(found->second, at, {left, right});
    }
  }
  Index comparison() {
    return left_to_right(&Parser::sum, {{Token::equal, Op::equal},
                                        {Token::unequal, Op::unequal},
                                        {Token::less, Op::less},
                                        {Token::less_or_equal, Op::less_or_equal},
                                        {Token::greater, Op::greater},
                                        {Token::greater_or_equal, Op::greater_or_equal}});
  }
  Index sum() { return left_to_right(&Parser::product, {{Token::plus, Op::add}, {Token::minus, Op::subtract}}); }
  Index product() {
    return left_to_right(&Parser::membership,
                         {{Token::star, Op::multiply}, {Token::slash, Op::divide}, {Token::percent, Op::modulo}});
  }

  /// LIKE binds tighter than IN; either may follow the other.
  Index membership() {
    Index left = likeness();
    for (;;) {
      const std::size_t at = words_.at();
      const bool negated = pending_not_ || words_.is_word("NOT");
      if (!pending_not_ && negated) {
        words_.next();
        if (!words_.is_word("IN")) fail("IN or LIKE belongs behind NOT here");
      }
      pending_not_ = false;
      if (!words_.is_word("IN")) return left;
      words_.next();
      left = set_of(left, negated, at);
    }
  }
  Index set_of(Index left, bool negated, std::size_t at) {
    if (words_.token() != Token::open) fail("a set in parentheses belongs behind IN");
    std::vector<Index> children{left};
    for (Index each : arguments()) children.push_back(each);
    if (children.size() == 1) fail("the set behind IN is empty");
    const Index made = add(Op::in, at, std::move(children));
    node(made).negated = negated;
    return made;
  }

  Index likeness() {
    Index left = unary();
    for (;;) {
      const std::size_t at = words_.at();
      bool negated = false;
      if (words_.is_word("NOT")) {
        words_.next();
        if (!words_.is_word("LIKE")) {
          pending_not_ = true;  // it is IN's, one level up
          if (!words_.is_word("IN")) fail("IN or LIKE belongs behind NOT here");
          return left;
        }
        negated = true;
      }
      if (!words_.is_word("LIKE")) return left;
      words_.next();
      if (words_.token() != Token::string) fail("the pattern of LIKE must be a string as it stands");
      left = add(Op::like, at, {left});
      node(left).negated = negated;
      node(left).text = words_.text();
      words_.next();
    }
  }

  Index unary() {
    if (++depth_ > kDeepestExpression) too_deep();
    const std::size_t at = words_.at();
    Index made = 0;
    if (words_.is_word("NOT")) {
      words_.next();
      const Index operand = unary();
      made = add(Op::logic_not, at, {operand});
    } else if (words_.token() == Token::minus) {
      words_.next();
      if (words_.token() == Token::integer) {
        made = integer(true);
      } else {
        const Index operand = unary();
        made = add(Op::negate, at, {operand});
      }
    } else if (words_.token() == Token::plus) {
      words_.next();
      if (words_.token() != Token::integer) fail("only a number may follow a plus sign");
      made = integer(false);
    } else {
      made = primary();
    }
    --depth_;
    return made;
  }

  Index primary() {
    const std::size_t at = words_.at();
    switch (words_.token()) {
      case Token::integer:
        return integer(false);
      case Token::string: {
        const Index made = add(Op::literal, at, {});
        node(made).type = Type::string;
        node(made).text = words_.text();
        words_.next();
        return made;
      }
      case Token::open: {
        words_.next();
        const Index inner = logic();
        if (words_.token() != Token::close) fail("a closing parenthesis is missing");
        words_.next();
        return inner;
      }
      case Token::word:
        return word();
      default:
        fail("a value is missing");
    }
  }
  Index word() {
    const std::size_t at = words_.at();
    const std::string upper = words_.upper();
    if (upper == "TRUE" || upper == "FALSE") {
      const Index made = add(Op::literal, at, {});
      node(made).number = upper == "TRUE" ? 1 : 0;
      words_.next();
      return made;
    }
    if (upper == "EXISTS") {
      words_.next();
      if (words_.token() != Token::word && words_.token() != Token::integer)
        fail("an attribute's name belongs behind EXISTS");
      const Index made = attribute();
      node(made).op = Op::exists;
      return made;
    }
    if (is_keyword(upper))
      fail("the keyword " + upper + " cannot stand here (an attribute of that name cannot be addressed)");
    return attribute_or_call();
  }

  Index attribute_or_call() {
    const std::size_t at = words_.at();
    const Index made = attribute();
    if (words_.token() != Token::open) {
      if (node(made).text.find('_') != std::string::npos) {
        throw ParseError{at, "an attribute's name has lower-case letters and digits only"};
      }
      return made;
    }
    std::string name = node(made).text;
    for (char& c : name) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    std::vector<Index> children = arguments();
    const Op op = function_named(name, children.size());
    if (op == Op::unknown_function && tree_.objection.empty()) {
      tree_.objection = "at byte " + std::to_string(at) + ": there is no function " + name + " with " +
                        std::to_string(children.size()) + (children.size() == 1 ? " argument" : " arguments");
    }
    const Index call = add(op, at, std::move(children));
    node(call).text = name;
    return call;
  }

  Index attribute() {
    if (is_keyword(words_.upper())) fail("the keyword " + words_.upper() + " is no attribute's name");
    std::string name = words_.text();
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    const Index made = add(Op::attribute, words_.at(), {});
    node(made).known = known_name(name);
    node(made).text = std::move(name);
    words_.next();
    return made;
  }

  /// From the opening parenthesis to the closing one.
  std::vector<Index> arguments() {
    std::vector<Index> children;
    words_.next();
    if (words_.token() == Token::close) return words_.next(), children;
    for (;;) {
      children.push_back(logic());
      if (words_.token() == Token::close) return words_.next(), children;
      if (words_.token() != Token::comma) fail("a comma or a closing parenthesis is missing");
      words_.next();
    }
  }

  Index integer(bool negative) {
    const std::string& digits = words_.text();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc{} && negative) value = -value;
    if (error != std::errc{} || value < INT32_MIN || value > INT32_MAX) {
      fail("the number is out of range: an Integer has 32 bits");
    }
    const Index made = add(Op::literal, words_.at(), {});
    node(made).type = Type::integer;
    node(made).number = static_cast<std::int32_t>(value);
    words_.next();
    return made;
  }

  Lexer words_;
  Tree tree_;
  std::uint32_t depth_ = 0;
  bool pending_not_ = false;  // a NOT was read that belongs to IN
};

}  // namespace

Op function_named(std::string_view name, std::size_t arguments) noexcept {
  for (const Function& function : kFunctions) {
    if (function.name == name && arguments >= function.least && arguments <= function.most) return function.op;
  }
  return Op::unknown_function;
}

Tree compile(std::string_view text) {
  if (text.size() > kLongestExpression) {
    throw ParseError{kLongestExpression,
                     "an expression may have " + std::to_string(kLongestExpression) + " bytes at most"};
  }
  return Parser(text).parse();
}

}  // namespace sluice::cesql
