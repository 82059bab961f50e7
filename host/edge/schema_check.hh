// A node's config against its class's JSON Schema. The only file that knows valijson.
#pragma once

#include "core/class_info.hh"
#include "core/config.hh"

namespace sluice {

/// Checks node.config with the class's schema, fills defaults and resolves units in it, and makes from it what the
/// plugin sees (config_json, fan_out_json) and what people see (shown_json).
void check_node_config(NodeConfig& node, const ClassDescription& described, Problems& problems);

/// Whether a schema can be used at all: JSON, only keywords that are checked, no circles, valid as a schema.
/// Returns what is wrong with it.
[[nodiscard]] std::optional<std::string> why_bad_schema(const std::string& schema_json);

}  // namespace sluice
