// The queue of an observer: in memory (lossy), or with everything that the observer has not seen yet on disk (durable),
// so that a kill loses nothing of it. The node says which, or else its class. Pure.
#pragma once

#include "core/class_info.hh"
#include "core/config.hh"

#include <string>

namespace sluice {

/// `queue:` of a consumer: `lossy`, `durable`, or a map.
void read_observer_queue(const Value* value, const std::string& path, NodeConfig& node, Problems& problems);

/// Once the classes are known: every consumer's queue is lossy or durable, and only a durable one has a spool.
void settle_observer_queues(Config& config, const ClassCatalog& catalog, Problems& problems);

/// The folder of a durable queue whose configuration does not name one.
[[nodiscard]] std::string default_queue_folder(const std::string& node);

}  // namespace sluice
