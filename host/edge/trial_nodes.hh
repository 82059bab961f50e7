// What a node says of its configuration beyond what a schema can: templates, conditions, filters. create() does no I/O,
// so `check` makes every node and destroys it again.
#pragma once

#include "core/config.hh"
#include "edge/plugin_library.hh"

#include <string>

namespace sluice {

/// A node's complaint, at the place that it names in front ("rules/0/title: …"), else at the node.
[[nodiscard]] Problem refusal(const NodeConfig& node, const std::string& text);

void try_nodes(const Config& config, PluginLibrary& library, Problems& problems);

}  // namespace sluice
