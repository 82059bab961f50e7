// The running graph as those see it who only look: admin pages, the stop summary, the progress line. Names never
// change while it runs; the numbers are read through `stats` at any time (see core/stats.hh).
#pragma once

#include "core/config.hh"
#include "core/stats.hh"
#include "core/type_table.hh"

#include <cstdint>
#include <mutex>
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

/// What became of the reloads so far.
struct ReloadView {
  std::uint64_t applied = 0, refused = 0, unchanged = 0;
  std::string last;       // "applied", "refused" or "unchanged"; empty: there was none
  std::string last_text;  // why it was refused, or what was changed
  std::int64_t last_unix_ns = 0;
};

struct GraphView {
  std::vector<NodeView> nodes;  // in the order of the file
  const TypeTable* types = nullptr;
  std::string version;                      // of the host
  const EventConsumer* consumer = nullptr;  // of the configuration; null or unnamed: there is none
  ReloadView reloads;
};

/// For who reads it on another thread: a reload changes classes and `reloads`, under the mutex.
struct LiveView {
  GraphView graph;
  std::mutex mutex;
};

}  // namespace sluice
