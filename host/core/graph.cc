#include "core/graph.hh"

#include "core/assert.hh"

#include <sluice/module.h>

#include <algorithm>

namespace sluice {

namespace {

void add_unique(std::vector<NodeIndex>& list, NodeIndex node) {
  if (std::ranges::find(list, node) == list.end()) list.push_back(node);
}

/// The graph nodes that a configured node became.
std::vector<NodeIndex> elements_of(const Graph& graph, const Config& config, std::string_view name) {
  std::vector<NodeIndex> found;
  for (NodeIndex i = 0; i < graph.nodes.size(); ++i) {
    if (config.nodes[graph.nodes[i].config].name == name) found.push_back(i);
  }
  return found;
}

void add_nodes(Graph& graph, const Config& config, const std::vector<NodeFacts>& facts) {
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    const NodeConfig& node = config.nodes[i];
    const std::uint32_t elements = std::max(facts[i].elements, 1u);
    for (std::uint32_t element = 0; element < elements; ++element) {
      GraphNode made;
      made.config = i;
      made.kind = node.kind;
      made.fanned_out = facts[i].elements > 1;
      made.name = made.fanned_out ? node.name + "[" + std::to_string(element) + "]" : node.name;
      made.flags = facts[i].flags;
      made.element = element;
      made.observer = node.kind == NodeKind::consumer && (facts[i].flags & SLUICE_OBSERVER) != 0;
      made.out.resize(1 + facts[i].ports.size());
      graph.nodes.push_back(std::move(made));
    }
  }
}

void connect(Graph& graph, const Config& config, const std::vector<NodeFacts>& facts, NodeIndex target,
             const Input& input) {
  for (const NodeIndex from : elements_of(graph, config, input.node)) {
    GraphNode& node = graph.nodes[from];
    if (input.port.empty()) {
      add_unique(node.out[0], target);
      continue;
    }
    const auto& ports = facts[node.config].ports;
    const auto port = std::ranges::find(ports, input.port);
    if (port != ports.end()) {
      add_unique(node.out[1 + static_cast<std::size_t>(port - ports.begin())], target);
    } else {
      SLUICE_ASSERT(input.port == "rejected");
      add_unique(node.rejected_out, target);
    }
  }
}

/// Depth first; a consumer is listed before what it feeds once the list is turned around.
void visit(const Graph& graph, NodeIndex node, std::vector<bool>& seen, SourceReach& reach) {
  if (seen[node]) return;
  seen[node] = true;
  const GraphNode& from = graph.nodes[node];
  const auto follow = [&](const std::vector<NodeIndex>& targets) {
    for (const NodeIndex target : targets) visit(graph, target, seen, reach);
  };
  for (const auto& targets : from.out) follow(targets);
  follow(from.rejected_out);
  if (from.kind == NodeKind::backend || from.observer)
    reach.lanes.push_back(node);
  else if (from.kind == NodeKind::consumer)
    reach.consumers.push_back(node);
}

/// A spool waits for its disk, and when it is full for its policy: the source waits with it.
bool gates(const Delivery& delivery) {
  return delivery.when_full == WhenFull::block || delivery.when_full == WhenFull::spool;
}

SourceReach reach_from(const Graph& graph, const Config& config, NodeIndex source) {
  SourceReach reach;
  reach.source = source;
  std::vector<bool> seen(graph.nodes.size());
  visit(graph, source, seen, reach);
  std::ranges::reverse(reach.consumers);
  std::ranges::sort(reach.lanes);
  const Acknowledge& acknowledge = config.nodes[graph.nodes[source].config].acknowledge;
  for (const NodeIndex lane : reach.lanes) {
    const GraphNode& node = graph.nodes[lane];
    const NodeConfig& made_from = config.nodes[node.config];
    if (node.observer && made_from.queue_kind == ObserverQueue::durable) {
      reach.keeping.push_back(lane);
      reach.gating.push_back(lane);  // it waits for the disk, never for the observer
    }
    if (node.kind != NodeKind::backend) continue;
    const bool required = acknowledge.mode != Acknowledge::Mode::nodes ||
                          std::ranges::find(acknowledge.nodes, made_from.name) != acknowledge.nodes.end();
    if (!required) continue;
    reach.required.push_back(lane);
    if (gates(made_from.delivery)) reach.gating.push_back(lane);
  }
  // What cannot be decoded goes to the source's own dead-letter backend: it must have room before a pull, too.
  for (const NodeIndex lane : graph.nodes[source].dead_letter) {
    add_unique(reach.lanes, lane);
    if (gates(config.nodes[graph.nodes[lane].config].delivery)) add_unique(reach.gating, lane);
  }
  std::ranges::sort(reach.gating);
  return reach;
}

}  // namespace

const SourceReach* Graph::reach_of(NodeIndex source) const noexcept {
  const auto found = std::ranges::find(sources, source, &SourceReach::source);
  return found == sources.end() ? nullptr : &*found;
}

bool Graph::shared(NodeIndex node) const noexcept {
  return std::ranges::count_if(sources, [&](const SourceReach& reach) {
           return std::ranges::find(reach.consumers, node) != reach.consumers.end();
         }) > 1;
}

Graph build_graph(const Config& config, const std::vector<NodeFacts>& facts) {
  SLUICE_ASSERT(facts.size() == config.nodes.size());
  Graph graph;
  add_nodes(graph, config, facts);
  for (NodeIndex target = 0; target < graph.nodes.size(); ++target) {
    for (const Input& input : config.nodes[graph.nodes[target].config].inputs) {
      connect(graph, config, facts, target, input);
    }
    const std::string& dead_letter = config.nodes[graph.nodes[target].config].delivery.dead_letter;
    if (!dead_letter.empty()) {
      for (const NodeIndex to : elements_of(graph, config, dead_letter))
        add_unique(graph.nodes[target].dead_letter, to);
    }
  }
  for (NodeIndex node = 0; node < graph.nodes.size(); ++node) {
    if (graph.nodes[node].kind == NodeKind::source) graph.sources.push_back(reach_from(graph, config, node));
  }
  return graph;
}

}  // namespace sluice
