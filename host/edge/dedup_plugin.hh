// A key store that a module offers (sluice.key_store/1): shared by every host that is configured to the same place.
#pragma once

#include "core/ports.hh"
#include "edge/plugin_node.hh"

#include <chrono>
#include <memory>

namespace sluice {

/// A node of the class, made for this alone. On failure `status` says why: the class refused its config, or offers no
/// key store, or none with claims, which `dedup.once` needs. `services` must outlive it.
[[nodiscard]] std::unique_ptr<KeyStoreNode> create_key_store(const LoadedClass& loaded, const NodeSeat& seat,
                                                             std::chrono::milliseconds ttl,
                                                             const NodeServices& services, Status& status,
                                                             bool claims = false);

}  // namespace sluice
