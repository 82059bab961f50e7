// Nodes over the plugin ABI: what a lane drives (core/ports.hh) on one side, a class's table on the other.
//
// On the data path a call costs a thread-local mark, an indirect call and a check of the status: no allocation, no
// lock. What a plugin throws stops here, becomes SLUICE_FAILED, and is counted as a broken contract.
#pragma once

#include "core/ports.hh"
#include "edge/plugin_host.hh"
#include "edge/plugin_library.hh"

#include <cstdint>
#include <memory>
#include <string>

namespace sluice {

/// Where a node stands in the graph, and what it is given.
struct NodeSeat {
  std::string name;         // "webhook[1]"
  std::string config_json;  // canonical, defaults filled, units resolved (NodeConfig.config_json)
  std::uint32_t replica = 0, replicas = 1;
  OnceKeys* once_keys = nullptr;  // of its source, for a consumer; outlives the node
};

/// The one that fits the class's kind, or none and a status that says why.
struct CreatedNode {
  std::unique_ptr<SourceNode> source;
  std::unique_ptr<ConsumerNode> consumer;
  std::unique_ptr<BackendNode> backend;
  Status status;

  [[nodiscard]] Node* node() const noexcept {
    if (source != nullptr) return source.get();
    if (consumer != nullptr) return consumer.get();
    return backend.get();
  }
};

/// The class's create(). `services` must outlive the node. Reads nothing, connects to nothing.
[[nodiscard]] CreatedNode create_node(const LoadedClass& loaded, NodeSeat seat, const NodeServices& services);

/// The class's probe() on a node of its own: is the far side there? UNSUPPORTED when the class has none.
[[nodiscard]] Status probe_node(const LoadedClass& loaded, NodeSeat seat, const NodeServices& services,
                                std::chrono::milliseconds timeout);

/// "away", "bad_config": for people.
[[nodiscard]] const char* status_text(sluice_status status) noexcept;

}  // namespace sluice
