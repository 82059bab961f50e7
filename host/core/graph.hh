// The graph: nodes and edges, decided before anything runs. Lists with fan_out are already one node per element here.
#pragma once

#include "core/config.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

using NodeIndex = std::uint32_t;

/// What the graph must know of a node's class.
struct NodeFacts {
  std::uint32_t flags = 0;         // sluice_class.flags
  std::vector<std::string> ports;  // beyond port 0
  std::uint32_t elements = 0;      // of the list that fans out; 0 = the class has none
};

struct GraphNode {
  std::size_t config = 0;  // index into Config::nodes
  NodeKind kind = NodeKind::source;
  std::string name;  // "webhook[1]" for an element of a list
  std::uint32_t flags = 0;
  std::uint32_t element = 0;
  bool fanned_out = false;
  bool observer = false;
  std::vector<std::vector<NodeIndex>> out;  // targets by output port; out[0] is the plain port
  std::vector<NodeIndex> rejected_out;      // who listens to NAME.rejected
  std::vector<NodeIndex> dead_letter;       // at most one
};

/// What one source's events can reach, and what its acknowledgement needs.
struct SourceReach {
  NodeIndex source = 0;
  std::vector<NodeIndex> consumers;  // inline, in an order in which causes come before effects
  std::vector<NodeIndex> lanes;      // backends and observers
  std::vector<NodeIndex> required;   // backends whose outcome the source hears
  std::vector<NodeIndex> gating;     // required, and their when_full is block: no credit there, no pull; and keeping
  std::vector<NodeIndex> keeping;    // observers with a durable queue: an event must be there before it is settled
};

struct Graph {
  std::vector<GraphNode> nodes;
  std::vector<SourceReach> sources;

  [[nodiscard]] const SourceReach* reach_of(NodeIndex source) const noexcept;
  /// True when consumer `node` is reached by more than one source: its calls need a lock.
  [[nodiscard]] bool shared(NodeIndex node) const noexcept;
};

/// Requires: the configuration has been checked (inputs exist, no cycles). facts[i] belongs to config.nodes[i].
[[nodiscard]] Graph build_graph(const Config& config, const std::vector<NodeFacts>& facts);

}  // namespace sluice
