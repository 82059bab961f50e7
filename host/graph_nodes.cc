#include "graph_nodes.hh"

#include "core/setup_error.hh"
#include "edge/dedup_file.hh"
#include "edge/dedup_plugin.hh"
#include "edge/spool_files.hh"
#include "edge/trial_nodes.hh"

namespace sluice {
namespace {

/// Where a source's delivered keys are kept beyond its lane; null when that is nowhere.
std::unique_ptr<KeyStoreNode> key_store_of(const NodeConfig& source, PluginLibrary& library,
                                           const NodeServices& services) {
  if (!source.dedup) return nullptr;
  const DedupPolicy& dedup = *source.dedup;
  switch (dedup.store) {
    case DedupPolicy::Store::memory:
      return nullptr;
    case DedupPolicy::Store::file:
      return std::make_unique<DedupFile>(dedup.path, dedup.ttl, dedup.max_keys, services.log);
    case DedupPolicy::Store::shared:
      break;
  }
  const NodeConfig& from = dedup.shared.front();
  Status status;
  auto made = create_key_store(library.load(from.kind, from.klass), {from.name, from.config_json}, dedup.ttl, services,
                               status, dedup.once.has_value());
  if (!status.ok()) {
    throw SetupError(to_line({from.file, from.mark, from.path, "class " + from.klass + ": " + status.text}));
  }
  return made;
}

/// A backend's spool, or an observer's durable queue; each lane of a list has a folder of its own inside the one that
/// is configured.
std::unique_ptr<SpoolStore> spool_of(const GraphNode& node, const NodeConfig& from) {
  const std::string& path = from.delivery.spool.path;
  if (path.empty() || (node.kind != NodeKind::backend && !node.observer)) return nullptr;
  return std::make_unique<SpoolFiles>(node.fanned_out ? path + "/" + node.name : path);
}

/// For a consumer directly behind a source whose `dedup.once` is shared: what was delivered once. Else null.
std::unique_ptr<OnceKeys> once_keys_of(const Config& config, const NodeConfig& node, PluginLibrary& library,
                                       const NodeServices& services) {
  if (node.kind != NodeKind::consumer) return nullptr;
  for (const Input& input : node.inputs) {
    const NodeConfig* source = config.find(input.node);
    if (source == nullptr || !source->dedup || !source->dedup->once) continue;
    if (source->dedup->store != DedupPolicy::Store::shared) continue;
    return std::make_unique<OnceKeys>(*source->dedup->once,
                                      [=, &library, &services] { return key_store_of(*source, library, services); });
  }
  return nullptr;
}

}  // namespace

std::vector<NodeFacts> facts_of(const Config& config, const ClassCatalog& catalog) {
  std::vector<NodeFacts> facts;
  for (const NodeConfig& node : config.nodes) {
    const ClassDescription* description = catalog.find(node.kind, node.klass);
    facts.push_back({description->flags, description->ports, static_cast<std::uint32_t>(node.fan_out_json.size())});
  }
  return facts;
}

CreatedNode create_instance(const GraphNode& node, const NodeConfig& from, PluginLibrary& library,
                            const NodeServices& services, OnceKeys* once_keys) {
  NodeSeat seat{node.name, from.fan_out_json.empty() ? from.config_json : from.fan_out_json[node.element], 0, 1};
  seat.once_keys = once_keys;
  CreatedNode created = create_node(library.load(from.kind, from.klass), std::move(seat), services);
  if (!created.status.ok()) throw SetupError(to_line(refusal(from, created.status.text)));
  return created;
}

GraphNodes create_nodes(const Config& config, const Graph& graph, PluginLibrary& library,
                        const NodeServices& services) {
  GraphNodes made;
  for (const GraphNode& node : graph.nodes) {
    const NodeConfig& from = config.nodes[node.config];
    OnceKeys* keys = made.once_keys.emplace_back(once_keys_of(config, from, library, services)).get();
    CreatedNode created = create_instance(node, from, library, services, keys);
    made.nodes.push_back({std::move(created.source), std::move(created.consumer), std::move(created.backend),
                          key_store_of(from, library, services), spool_of(node, from)});
  }
  return made;
}

}  // namespace sluice
