// `events.schema_registry`: what is published is compared with the schema that a registry keeps for its type.
#pragma once

#include "core/config.hh"
#include "core/problem.hh"

namespace sluice {

inline constexpr const char* kRegistryNode = "schema_registry";

/// Adds the consumer that compares to `consumers`, between `sources` and whoever has kRegistryNode as its input. False,
/// and nothing is added, when it is no map.
[[nodiscard]] bool lower_schema_registry(const Value& written, const Value& sources, Value& consumers,
                                         Problems& problems);

}  // namespace sluice
