// Values of CESQL: how they are made, which types an operator takes and gives, and how one type becomes another. All
// inline: an evaluation does this for each operand of each event.
#pragma once

#include "core/cesql_tree.hh"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::cesql {

constexpr Value boolean(bool value) noexcept { return {Type::boolean, value ? 1 : 0, {}}; }
constexpr Value integer(std::int32_t value) noexcept { return {Type::integer, value, {}}; }
constexpr Value string(std::string_view text) noexcept { return {Type::string, 0, text}; }

constexpr Value zero_of(Type type) noexcept { return {type, 0, {}}; }

/// What an operator gives.
constexpr Type type_of(Op op) noexcept {
  switch (op) {
    case Op::concat:
    case Op::concat_ws:
    case Op::lower:
    case Op::upper:
    case Op::trim:
    case Op::left:
    case Op::right:
    case Op::substring:
    case Op::to_string:
      return Type::string;
    case Op::negate:
    case Op::multiply:
    case Op::divide:
    case Op::modulo:
    case Op::add:
    case Op::subtract:
    case Op::length:
    case Op::abs:
    case Op::to_integer:
      return Type::integer;
    default:
      return Type::boolean;
  }
}

/// What an operator takes, by operand. Not for those that take any type: =, !=, IN, LIKE, AND, OR, XOR, CONCAT.
constexpr Type wanted(Op op, std::size_t operand) noexcept {
  switch (op) {
    case Op::logic_not:
    case Op::to_boolean:
      return Type::boolean;
    case Op::length:
    case Op::lower:
    case Op::upper:
    case Op::trim:
    case Op::to_string:
      return Type::string;
    case Op::left:
    case Op::right:
    case Op::substring:
      return operand == 0 ? Type::string : Type::integer;
    default:
      return Type::integer;
  }
}

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

inline bool equals_ignoring_case(std::string_view text, std::string_view lower_case) noexcept {
  return std::ranges::equal(text, lower_case, [](char a, char b) { return lower(a) == b; });
}

/// Base 10, an optional sign, nothing else.
inline std::optional<std::int32_t> integer_in(std::string_view text) noexcept {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

inline bool same(const Value& a, const Value& b) noexcept {
  return a.type == Type::string ? a.text == b.text : a.number == b.number;
}

/// Nothing when the value has no place in that type.
inline std::optional<Value> cast(const Value& value, Type to, Scratch& scratch) {
  if (value.type == to) return value;
  switch (to) {
    case Type::string: {
      if (value.type == Type::boolean) return string(value.number != 0 ? "true" : "false");
      char* digits = scratch.allocate(12);
      if (digits == nullptr) return std::nullopt;
      const char* end = std::to_chars(digits, digits + 12, value.number).ptr;
      return string({digits, static_cast<std::size_t>(end - digits)});
    }
    case Type::integer: {
      if (value.type == Type::boolean) return integer(value.number);
      const auto number = integer_in(value.text);
      return number ? std::optional<Value>(integer(*number)) : std::nullopt;
    }
    case Type::boolean:
      if (value.type == Type::integer) return boolean(value.number != 0);
      if (equals_ignoring_case(value.text, "true")) return boolean(true);
      if (equals_ignoring_case(value.text, "false")) return boolean(false);
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace sluice::cesql
