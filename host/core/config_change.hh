// What a reload would change: two checked configurations compared node by node. Pure.
//
// A node is known by its name. What may change while the host runs is the instance of a backend or an observer (its
// class, its config) and the plain numbers of a backend's delivery; everything else is named, and needs a restart.
#pragma once

#include "core/graph.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// One node of the running graph that changes.
struct NodeChange {
  std::size_t running = 0, next = 0;    // indices into the two Config::nodes
  std::vector<std::uint32_t> replaced;  // elements whose instance is another (0 of a node without a list)
  std::vector<std::string> numbers;     // keys of delivery whose values are others
};

struct ConfigChange {
  std::vector<NodeChange> nodes;
  std::vector<std::string> restart;  // "backends.stream.delivery.queue": what cannot change while the host runs
  bool log_level = false;            // log.level is another

  [[nodiscard]] bool nothing() const noexcept { return nodes.empty() && restart.empty() && !log_level; }
};

/// A configuration, and what is known of its nodes' classes: facts[i] belongs to config.nodes[i].
struct KnownConfig {
  const Config& config;
  const std::vector<NodeFacts>& facts;
};

/// Requires: both have been checked, and run something.
[[nodiscard]] ConfigChange compare(const KnownConfig& running, const KnownConfig& next);

}  // namespace sluice
