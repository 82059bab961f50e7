// Evaluation of a compiled expression over one event.
#include "core/cesql_text.hh"
#include "core/cesql_tree.hh"
#include "core/cesql_value.hh"
#include "core/filter.hh"

#include <sluice/cpp/text.hh>

#include <algorithm>
#include <limits>
#include <new>
#include <optional>
#include <utility>

namespace sluice::cesql {

namespace {

constexpr std::int32_t kSmallest = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kLargest = std::numeric_limits<std::int32_t>::max();

struct Outcome {
  Value value;
  bool failed = false;
};

class Evaluation {
 public:
  Evaluation(const Tree& tree, const sluice_event& event, Scratch& scratch)
      : tree_(tree), event_(event), scratch_(scratch) {}

  Result run() {
    result_.value = eval(tree_.root).value;
    return result_;
  }

 private:
  [[nodiscard]] const Node& child(const Node& node, std::size_t i) const { return tree_.nodes[node.children[i]]; }

  Outcome fail(const Node& node, ErrorKind kind, Value value) {
    if (result_.error_count < kErrorsMax) result_.errors[result_.error_count++] = {kind, node.at};
    return {value, true};
  }
  Outcome fail(const Node& node, ErrorKind kind) { return fail(node, kind, zero_of(type_of(node.op))); }

  Outcome eval(std::uint32_t index) {
    const Node& node = tree_.nodes[index];
    switch (node.op) {
      case Op::literal:
        return {{node.type, node.number, node.text}};
      case Op::attribute:
        return attribute(node);
      case Op::exists:
        return {boolean(attribute_of(event_, node.text).has_value())};
      case Op::logic_and:
      case Op::logic_or:
      case Op::logic_xor:
        return logic(node);
      case Op::unknown_function:
        return fail(node, ErrorKind::missing_function);
      default:
        return operation(node);
    }
  }

  Outcome attribute(const Node& node) {
    const auto found = attribute_of(event_, node.text);
    if (!found) return fail(node, ErrorKind::missing_attribute, boolean(false));
    if (node.known != Known::none) return {string(*found)};
    for (std::uint32_t i = 0; i < event_.extension_count; ++i) {
      const sluice_attribute& extension = event_.extensions[i];
      if (view(extension.name) != node.text) continue;
      if (extension.type == SLUICE_BOOLEAN) return {boolean(*found == "true")};
      if (extension.type == SLUICE_INTEGER) {
        if (const auto number = integer_in(*found)) return {integer(*number)};
      }
      break;
    }
    return {string(*found)};
  }

  /// AND and OR stop where the result is known; what failed before that is the result.
  Outcome logic(const Node& node) {
    bool result = node.op == Op::logic_and, failed = false;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Outcome operand = eval(node.children[i]);
      if (operand.failed) {
        if (node.op != Op::logic_xor) return {boolean(false), true};
        failed = true;
        continue;
      }
      const auto one = cast(operand.value, Type::boolean, scratch_);
      if (!one) return fail(child(node, i), ErrorKind::cast, boolean(false));
      const bool value = one->number != 0;
      if (node.op == Op::logic_xor) {
        result = result != value;
      } else {
        result = value;
        if (value != (node.op == Op::logic_and)) break;
      }
    }
    return failed ? Outcome{boolean(false), true} : Outcome{boolean(result)};
  }

  /// Everything whose operands are all looked at first.
  Outcome operation(const Node& node) {
    switch (node.op) {
      case Op::like: {
        const Outcome text = eval(node.children[0]);
        if (text.failed) return {boolean(false), true};
        const auto as_text = cast(text.value, Type::string, scratch_);
        if (!as_text) return fail(node, ErrorKind::generic);
        return {boolean(is_like(as_text->text, node.text) != node.negated)};
      }
      case Op::in:
        return membership(node);
      case Op::concat:
      case Op::concat_ws:
        return concatenation(node);
      default:
        break;
    }
    Value values[3];
    bool failed = false;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Outcome operand = eval(node.children[i]);
      failed = failed || operand.failed;
      values[i] = operand.value;
    }
    if (failed) return {zero_of(type_of(node.op)), true};
    if (node.op == Op::equal || node.op == Op::unequal) return equality(node, values[0], values[1]);
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const auto as_wanted = cast(values[i], wanted(node.op, i), scratch_);
      if (!as_wanted) return fail(child(node, i), ErrorKind::cast, zero_of(type_of(node.op)));
      values[i] = *as_wanted;
    }
    return type_of(node.op) == Type::string || node.op == Op::length ? of_text(node, values) : of_numbers(node, values);
  }

  Outcome equality(const Node& node, const Value& left, const Value& right) {
    const auto cast_left = cast(left, right.type, scratch_);
    if (!cast_left) return fail(child(node, 0), ErrorKind::cast, boolean(false));
    return {boolean(same(*cast_left, right) == (node.op == Op::equal))};
  }

  Outcome membership(const Node& node) {
    const Outcome left = eval(node.children[0]);
    bool failed = left.failed, found = false;
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      const Outcome element = eval(node.children[i]);
      if (element.failed) failed = true;
      if (failed) continue;
      const auto as_left = cast(element.value, left.value.type, scratch_);
      if (!as_left) {
        failed = fail(child(node, i), ErrorKind::cast).failed;
      } else {
        found = found || same(*as_left, left.value);
      }
    }
    return failed ? Outcome{boolean(false), true} : Outcome{boolean(found != node.negated)};
  }

  Outcome concatenation(const Node& node) {
    std::string_view text, separator;
    bool failed = false;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Outcome operand = eval(node.children[i]);
      failed = failed || operand.failed;
      if (failed) continue;
      const auto part = cast(operand.value, Type::string, scratch_);
      if (!part) return fail(node, ErrorKind::generic);
      if (node.op == Op::concat_ws && i == 0) {
        separator = part->text;
        continue;
      }
      const bool first = i == (node.op == Op::concat_ws ? 1u : 0u);
      const std::string_view between = first ? std::string_view() : separator;
      char* made = scratch_.allocate(text.size() + between.size() + part->text.size());
      if (made == nullptr) return fail(node, ErrorKind::generic);
      char* end = std::ranges::copy(text, made).out;
      end = std::ranges::copy(between, end).out;
      end = std::ranges::copy(part->text, end).out;
      text = {made, static_cast<std::size_t>(end - made)};
    }
    return failed ? Outcome{string({}), true} : Outcome{string(text)};
  }

  Outcome of_numbers(const Node& node, const Value* values) {
    const std::int64_t left = values[0].number, right = values[1].number;
    switch (node.op) {
      case Op::logic_not:
        return {boolean(left == 0)};
      case Op::to_boolean:
      case Op::to_integer:
        return {values[0]};
      case Op::less:
        return {boolean(left < right)};
      case Op::less_or_equal:
        return {boolean(left <= right)};
      case Op::greater:
        return {boolean(left > right)};
      case Op::greater_or_equal:
        return {boolean(left >= right)};
      case Op::negate:
        return in_range(node, -left, 0);
      case Op::abs:
        return in_range(node, left < 0 ? -left : left, kLargest);
      case Op::add:
        return in_range(node, left + right, 0);
      case Op::subtract:
        return in_range(node, left - right, 0);
      case Op::multiply:
        return in_range(node, left * right, 0);
      case Op::divide:
        return right == 0 ? fail(node, ErrorKind::math) : in_range(node, left / right, 0);
      case Op::modulo:
        return right == 0 ? fail(node, ErrorKind::math) : in_range(node, left % right, 0);
      default:
        return fail(node, ErrorKind::generic);
    }
  }
  /// Computed in 64 bits, where none of this overflows.
  Outcome in_range(const Node& node, std::int64_t value, std::int32_t otherwise) {
    if (value < kSmallest || value > kLargest) return fail(node, ErrorKind::math, integer(otherwise));
    return {integer(static_cast<std::int32_t>(value))};
  }

  Outcome of_text(const Node& node, const Value* values) {
    const std::string_view text = values[0].text;
    switch (node.op) {
      case Op::length:
        return in_range(node, static_cast<std::int64_t>(count_characters(text)), 0);
      case Op::to_string:
        return {values[0]};
      case Op::lower:
        return each_character(node, text, lower);
      case Op::upper:
        return each_character(node, text, upper);
      case Op::trim: {
        const auto from = std::ranges::find_if_not(text, is_blank);
        auto to = text.end();
        while (to != from && is_blank(to[-1])) --to;
        return {string({from, to})};
      }
      case Op::left:
      case Op::right: {
        const std::int32_t count = values[1].number;
        if (count < 0) return fail(node, ErrorKind::function_evaluation, values[0]);
        const auto characters = static_cast<std::size_t>(count);
        if (node.op == Op::left) return {string(text.substr(0, skip_characters(text, characters)))};
        const std::size_t all = count_characters(text);
        return {string(text.substr(skip_characters(text, all > characters ? all - characters : 0)))};
      }
      default:
        return substring(node, text, values);
    }
  }

  Outcome substring(const Node& node, std::string_view text, const Value* values) {
    const auto all = static_cast<std::int64_t>(count_characters(text));
    const std::int64_t position = values[1].number;
    if (position == 0) return {string({})};
    const std::int64_t from = position > 0 ? position - 1 : all + position;
    const std::int64_t length = node.children.size() == 3 ? values[2].number : all;
    if (from < 0 || from >= all || length < 0) return fail(node, ErrorKind::function_evaluation);
    text.remove_prefix(skip_characters(text, static_cast<std::size_t>(from)));
    return {string(text.substr(0, skip_characters(text, static_cast<std::size_t>(length))))};
  }

  template <class Change>
  Outcome each_character(const Node& node, std::string_view text, Change change) {
    char* made = scratch_.allocate(text.size());
    if (made == nullptr) return fail(node, ErrorKind::generic);
    std::ranges::transform(text, made, change);
    return {string({made, text.size()})};
  }

  const Tree& tree_;
  const sluice_event& event_;
  Scratch& scratch_;
  Result result_;
};

}  // namespace

struct Scratch::Piece {
  Piece* next;
};

Scratch::~Scratch() {
  while (pieces_ != nullptr) ::operator delete(std::exchange(pieces_, pieces_->next));
}

char* Scratch::allocate(std::size_t bytes) {
  if (near_.size() - near_used_ >= bytes) return near_.data() + std::exchange(near_used_, near_used_ + bytes);
  if (kScratchBytesMax - total_ < bytes) return nullptr;
  total_ += bytes;
  auto* piece = static_cast<Piece*>(::operator new(sizeof(Piece) + bytes));
  piece->next = pieces_;
  pieces_ = piece;
  return reinterpret_cast<char*>(piece + 1);
}

Result Expression::evaluate(const sluice_event& event, Scratch& scratch) const {
  return Evaluation(*tree_, event, scratch).run();
}

bool Expression::matches(const sluice_event& event) const noexcept {
  try {
    Scratch scratch;
    const Result result = evaluate(event, scratch);
    return result.ok() && result.value.type == Type::boolean && result.value.number != 0;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace sluice::cesql
