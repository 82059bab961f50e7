// The CloudEvents SQL expression language (CESQL 1.0): compiled once, evaluated per event. Pure.
//
// Every expression has a value and a list of errors; there is no NULL. An operand that failed keeps its operator from
// running: the result is then the zero value of the operator's type ("", 0, false), with the operand's error.
// Where the published text and grammar disagree: see the notes in cesql_parser.cc.
#pragma once

#include <sluice/event.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

namespace cesql {

inline constexpr std::size_t kLongestExpression = 16 * 1024;      // bytes
inline constexpr std::uint32_t kDeepestExpression = 128;          // parentheses and operators inside each other
inline constexpr std::size_t kScratchBytesMax = 4 * 1024 * 1024;  // of texts that one evaluation makes
inline constexpr std::size_t kErrorsMax = 8;                      // kept of one evaluation

enum class Type : std::uint8_t { string, integer, boolean };

struct Value {
  Type type = Type::boolean;
  std::int32_t number = 0;  // an Integer, or a Boolean as 0 and 1
  std::string_view text;    // a String: in the event, in the expression or in the scratch
};

enum class ErrorKind : std::uint8_t { math, cast, missing_function, function_evaluation, missing_attribute, generic };

/// "math", "cast", "missingFunction", …: the words of the specification's test kit.
[[nodiscard]] std::string_view name_of(ErrorKind kind) noexcept;

struct Error {
  ErrorKind kind = ErrorKind::generic;
  std::uint32_t at = 0;  // byte of the expression, from 0
};

/// Texts that an evaluation makes: the first of them on the caller's stack.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  /// Null once kScratchBytesMax would be passed.
  [[nodiscard]] char* allocate(std::size_t bytes);

 private:
  struct Piece;
  std::array<char, 1024> near_;
  std::size_t near_used_ = 0, total_ = 0;
  Piece* pieces_ = nullptr;
};

struct Result {
  Value value;
  std::array<Error, kErrorsMax> errors;
  std::size_t error_count = 0;

  [[nodiscard]] bool ok() const noexcept { return error_count == 0; }
};

struct Tree;

/// A compiled expression. Immutable, shared by lanes.
class Expression {
 public:
  /// On failure: nothing, and why ("at byte 7: …"), with the cure where there is one.
  [[nodiscard]] static std::optional<Expression> parse(std::string_view text, std::string& why);

  /// The result's texts live as long as the event, the expression and the scratch.
  [[nodiscard]] Result evaluate(const sluice_event& event, Scratch& scratch) const;
  /// As a filter: true when the value is the Boolean true and nothing failed. Allocates nothing unless the expression
  /// makes texts of more than a kilobyte.
  [[nodiscard]] bool matches(const sluice_event& event) const noexcept;
  /// What a filter must not be made with though an evaluation could: a function that does not exist. Empty: nothing.
  [[nodiscard]] const std::string& objection() const noexcept;
  /// The expression around a byte, for a message.
  [[nodiscard]] const std::string& text() const noexcept;

 private:
  std::shared_ptr<const Tree> tree_;
};

}  // namespace cesql

}  // namespace sluice
