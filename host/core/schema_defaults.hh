// What the JSON Schema library leaves to us: defaults, units, types of whole references, unknown keys with a
// suggestion, secrets. A schema is a tree of values like the configuration itself. Pure.
#pragma once

#include "core/document.hh"

#include <optional>
#include <string>

namespace sluice {

/// Whether the host understands the whole schema: a keyword that it would pass over in silence is refused, so is a
/// $ref that leads nowhere or in a circle. Returns what is wrong.
[[nodiscard]] std::optional<std::string> why_unusable(const Value& schema);

/// Walks config along its schema. Fills absent members that have a default (as a map's own `default` says; an absent
/// map without one stays absent), turns "30s" and "16MiB" into numbers where "x-unit" asks for it, gives whole ${...}
/// references the wanted type, and refuses unknown keys.
void apply_schema(const Value& schema, Value& config, const std::string& path, Problems& problems);

/// The part of the schema that speaks about a value inside config; null when none does.
[[nodiscard]] const Value* schema_at(const Value& schema, const std::vector<std::string>& keys);

/// config with every secret replaced by "***": what the schema calls writeOnly, what came from a secret, members whose
/// key names a secret, and the password in a URL.
[[nodiscard]] Value without_secrets(const Value& schema, const Value& config);

/// The key of the list that "x-fan-out" marks; empty when there is none.
[[nodiscard]] std::string fan_out_key(const Value& schema);

/// What the schema would take, as the end of "must be …".
[[nodiscard]] std::string wanted_text(const Value& schema);

}  // namespace sluice
