// What an expression is to others: made from a text, asked for what it objects to, its errors named.
#include "core/cesql.hh"

#include "core/cesql_tree.hh"

namespace sluice::cesql {

std::optional<Expression> Expression::parse(std::string_view text, std::string& why) {
  try {
    Expression made;
    made.tree_ = std::make_shared<const Tree>(compile(text));
    return made;
  } catch (const ParseError& error) {
    why = "at byte " + std::to_string(error.at) + ": " + error.what;
    return std::nullopt;
  }
}

const std::string& Expression::objection() const noexcept { return tree_->objection; }
const std::string& Expression::text() const noexcept { return tree_->text; }

std::string_view name_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::math:
      return "math";
    case ErrorKind::cast:
      return "cast";
    case ErrorKind::missing_function:
      return "missingFunction";
    case ErrorKind::function_evaluation:
      return "functionEvaluation";
    case ErrorKind::missing_attribute:
      return "missingAttribute";
    case ErrorKind::generic:
      break;
  }
  return "generic";
}

}  // namespace sluice::cesql
