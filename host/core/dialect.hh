// What both dialects of the requirement documents (`events:` and `event_consumer:`) share: sections with their user's
// paths, the environment's overrides, notes. Pure.
#pragma once

#include "core/interpolate.hh"

#include <optional>
#include <string>

namespace sluice {

/// A top-level map with its paths written on; empty when it is not there.
[[nodiscard]] Value dialect_section(const Value& root, const std::string& key);
/// Writes on every value where its user wrote it, for problems found after it has moved.
void write_paths(Value& value, const std::string& path);

/// A variable of the environment; an empty one counts as unset.
[[nodiscard]] std::optional<std::string> override_of(const Surroundings& surroundings, const std::string& name);
/// What came from it as a value, which names the variable in problems.
[[nodiscard]] Value from_environment(const std::string& name, std::string text);
/// true, yes, on, 1 and their opposites, in any case; nothing for other words.
[[nodiscard]] std::optional<bool> truth_of(const std::string& word);

/// Notes that a value has no effect, and why.
void note_idle(Problems& problems, const Value& value, const std::string& why);

[[nodiscard]] Value milliseconds_text(double ms, const Value& where);
void put_default(Value& map, const char* key, Value value);
[[nodiscard]] std::string lower_case(std::string text);

}  // namespace sluice
