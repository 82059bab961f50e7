// From a checked configuration to the instances of its graph: at the start of a run, and again at a reload.
#pragma once

#include "core/graph.hh"
#include "edge/once_keys.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_node.hh"
#include "run/pipeline.hh"

#include <cstdint>
#include <memory>
#include <vector>

namespace sluice {

/// What the graph must know of each node's class. Requires: the classes were checked.
[[nodiscard]] std::vector<NodeFacts> facts_of(const Config& config, const ClassCatalog& catalog);

struct GraphNodes {
  std::vector<std::unique_ptr<OnceKeys>> once_keys;  // by node, most of them null; they outlive the nodes
  std::vector<PipelineNode> nodes;
};

/// One instance per graph node. Throws SetupError naming node and class.
[[nodiscard]] GraphNodes create_nodes(const Config& config, const Graph& graph, PluginLibrary& library,
                                      const NodeServices& services);

/// The instance of one lane: `node` of the graph, by the configuration `from`. Throws SetupError naming node and class.
[[nodiscard]] CreatedNode create_instance(const GraphNode& node, const NodeConfig& from, PluginLibrary& library,
                                          const NodeServices& services, OnceKeys* once_keys);

}  // namespace sluice
