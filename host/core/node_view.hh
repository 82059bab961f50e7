// The running graph as those see it who only look: admin pages, the stop summary, the progress line. Names and classes
// never change while it runs; the numbers are read through `stats` at any time (see core/stats.hh).
#pragma once

#include "core/config.hh"
#include "core/stats.hh"
#include "core/type_table.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

struct NodeView {
  NodeKind kind = NodeKind::source;
  std::string name;  // in the graph: "webhook[1]" for an element of a list
  std::string klass;
  bool observer = false;
  bool required = true;  // its being down is the host's being down
  const NodeStats* stats = nullptr;
  bool dedup = false;                    // a source that leaves duplicates out
  const NodeStats* key_store = nullptr;  // the condition of its keys' store; null when they are in memory
  bool spooled = false;                  // a backend with delivery.spool, an observer whose queue is durable
};

struct GraphView {
  std::vector<NodeView> nodes;  // in the order of the file
  const TypeTable* types = nullptr;
  std::string version;                      // of the host
  const EventConsumer* consumer = nullptr;  // of the configuration; null or unnamed: there is none
};

}  // namespace sluice
