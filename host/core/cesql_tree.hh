// A compiled CESQL expression: nodes in one array, children before their parents.
#pragma once

#include "core/attribute.hh"
#include "core/cesql.hh"

#include <string>
#include <vector>

namespace sluice::cesql {

enum class Op : std::uint8_t {
  literal,
  attribute,
  exists,
  negate,     // -x
  logic_not,  // NOT x
  like,       // the pattern is in Node::text
  in,         // the first child in the others
  multiply,
  divide,
  modulo,
  add,
  subtract,
  equal,
  unequal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  logic_and,  // any number of children
  logic_or,
  logic_xor,
  unknown_function,
  // Functions.
  length,
  concat,
  concat_ws,
  lower,
  upper,
  trim,
  left,
  right,
  substring,
  abs,
  to_integer,
  to_boolean,
  to_string,
};

struct Node {
  Op op = Op::literal;
  bool negated = false;  // NOT LIKE, NOT IN
  Type type = Type::boolean;
  Known known = Known::none;  // attribute, exists
  std::int32_t number = 0;
  std::uint32_t at = 0;     // byte of the expression
  std::uint32_t depth = 1;  // of the tree below
  std::string text;         // a String literal, a pattern, a name
  std::vector<std::uint32_t> children;
};

struct Tree {
  std::string text;
  std::vector<Node> nodes;
  std::uint32_t root = 0;
  std::string objection;
};

/// The function of that name (upper case) that takes so many arguments; unknown_function when there is none.
[[nodiscard]] Op function_named(std::string_view name, std::size_t arguments) noexcept;

/// Why the text is no expression; thrown by compile().
struct ParseError {
  std::size_t at;
  std::string what;
};
[[nodiscard]] Tree compile(std::string_view text);

}  // namespace sluice::cesql
