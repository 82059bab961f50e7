// What an unquoted YAML scalar means (YAML 1.2 core schema): null, a boolean, a number, or else text. Pure.
#pragma once

#include "core/document.hh"

namespace sluice {

/// Sets kind and value from value.string, which stays as written. A quoted value stays text. Whole numbers beyond
/// 64 bits and .inf/.nan stay text: nothing in a configuration means them, and as text they are refused by name.
void type_scalar(Value& value);

/// A text that was wholly one ${...} becomes what the place wants, when it reads as that: the environment has no types.
/// Returns whether the value is of that kind now.
bool take_type(Value& value, Value::Kind wanted);

}  // namespace sluice
