#include "core/observer_queue.hh"

#include "core/map_reader.hh"
#include "core/native_format.hh"
#include "core/units.hh"

#include <sluice/module.h>

#include <algorithm>

namespace sluice {

namespace {

constexpr const char* kOnDisk[] = {"path",     "max_bytes", "segment_bytes", "fsync", "group_commit_ms",
                                   "interval", "on_full"};

void wrong_kind(const Value& value, const std::string& path, Problems& problems) {
  complain(problems, value, path, "must be lossy or durable, " + but_is(value));
}

/// Two lanes must not write to one folder, and one event must fit.
void check_folder(const Config& config, const NodeConfig& node, Problems& problems) {
  const SpoolPolicy& spool = node.delivery.spool;
  const auto complain_here = [&](const char* key, std::string text) {
    const Mark mark = spool.mark.line > 0 ? spool.mark : node.mark;
    problems.push_back({node.file, mark, node.path + ".queue." + key, std::move(text)});
  };
  for (const NodeConfig& other : config.nodes) {
    if (&other == &node || other.delivery.spool.path != spool.path) continue;
    if (other.kind == NodeKind::consumer && &other > &node) continue;  // said at the later one
    complain_here("path", json_string(spool.path) + " is the folder of \"" + other.name +
                              "\" already; give each a folder of its own");
  }
  if (spool.max_bytes < 2 * config.limits.event_bytes) {
    complain_here("max_bytes", size_text(spool.max_bytes) + " is less than two events may have (limits.event_bytes: " +
                                   size_text(config.limits.event_bytes) + "); raise one or lower the other");
  }
}

}  // namespace

std::string default_queue_folder(const std::string& node) { return node + ".queue"; }

void read_observer_queue(const Value* value, const std::string& path, NodeConfig& node, Problems& problems) {
  using OnFull = SpoolPolicy::OnFull;
  SpoolPolicy& spool = node.delivery.spool;
  spool.path = default_queue_folder(node.name);
  spool.max_bytes = limits::kObserverQueueBytes;
  spool.segment_bytes = spool.max_bytes / 8;
  spool.on_full = OnFull::drop_newest;
  if (value == nullptr || value->kind == Value::Kind::null) return;
  if (value->is_text()) {
    node.queue_kind = value->string == "durable" ? ObserverQueue::durable : ObserverQueue::lossy;
    if (value->string != "durable" && value->string != "lossy") wrong_kind(*value, path, problems);
    return;
  }
  MapReader queue(value, path, problems);
  spool.mark = value->mark;
  queue.choice("kind", {{"lossy", ObserverQueue::lossy}, {"durable", ObserverQueue::durable}}, node.queue_kind);
  if (const auto events = queue.integer("max_events", 1, 10'000'000)) {
    node.observer_queue = static_cast<std::uint64_t>(*events);
  }
  if (node.queue_kind == ObserverQueue::lossy) {
    for (const char* key : kOnDisk) {
      if (value->find(key) != nullptr) queue.refuse(key, "belongs to a durable queue, and this one is lossy");
    }
  } else {
    if (const auto folder = queue.text("path"); folder && !folder->empty()) {
      spool.path = *folder;
      spool.path_mark = value->find("path")->mark;
    }
    read_spool_bounds(value, queue, spool);
    queue.choice("on_full", {{"drop_newest", OnFull::drop_newest}, {"block", OnFull::block}}, spool.on_full);
  }
  queue.done();
}

void settle_observer_queues(Config& config, const ClassCatalog& catalog, Problems& problems) {
  for (NodeConfig& node : config.nodes) {
    if (node.kind != NodeKind::consumer) continue;
    const ClassDescription* described = catalog.find(node.kind, node.klass);
    const std::uint32_t flags = described == nullptr ? 0 : described->flags;
    const bool observer = (flags & SLUICE_OBSERVER) != 0;
    if (described != nullptr && !observer && node.queue_kind == ObserverQueue::durable) {
      problems.push_back({node.file, node.mark, node.path + ".queue",
                          "is durable, but class " + node.klass +
                              " is no observer: it judges events on their way and has no queue; leave it out"});
    }
    if (node.queue_kind == ObserverQueue::by_class) {
      node.queue_kind = (flags & SLUICE_DURABLE) != 0 ? ObserverQueue::durable : ObserverQueue::lossy;
    }
    if (!observer) node.queue_kind = ObserverQueue::lossy;
    if (node.queue_kind == ObserverQueue::lossy) node.delivery.spool = {};
  }
  for (const NodeConfig& node : config.nodes) {
    if (node.kind == NodeKind::consumer && node.delivery.spool.on()) check_folder(config, node, problems);
  }
}

}  // namespace sluice
