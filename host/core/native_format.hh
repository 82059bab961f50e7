// The native format: a tree of values becomes the configuration's structs. Every problem is noted with its place; what
// could not be read keeps its default. Pure: classes are not known here (see schema_defaults.hh and edge/schema_check).
#pragma once

#include "core/config.hh"

namespace sluice {

struct NativeOptions {
  bool stdin_source = false;  // `sluice run --stdin`: add a source `stdin` that feeds every node without inputs
};

/// Reads the whole tree, after interpolation. Ends with the checks of the wiring (wiring.hh).
[[nodiscard]] Config read_native(const Value& root, const NativeOptions& options, Problems& problems);

/// Only the keys beside the graph, of a tree whose graph is switched off.
[[nodiscard]] Config read_disabled(const Value& root, Problems& problems);
/// Those keys: where plugins are, the admin address, logs, limits.
void read_host_keys(class MapReader& root, Config& config, Problems& problems);

/// One node's parts (native_nodes.cc, native_delivery.cc).
[[nodiscard]] NodeConfig read_node(NodeKind kind, const std::string& name, const Value& value, const std::string& path,
                                   Problems& problems);
[[nodiscard]] EventFormat read_event_format(const Value* value, const std::string& node, const std::string& path,
                                            Problems& problems);
[[nodiscard]] std::optional<DedupPolicy> read_dedup(const Value* value, const NodeConfig& source,
                                                    const std::string& path, Problems& problems);
[[nodiscard]] Ordering read_ordering(const Value* value, const std::string& path, Problems& problems);
/// "/text", "/result/content": a JSON pointer that names something below the root.
[[nodiscard]] bool is_json_pointer(const std::string& text);
/// What every spool has, whoever it is in front of: bounds, and when it flushes.
void read_spool_bounds(const Value* value, class MapReader& map, SpoolPolicy& spool);
[[nodiscard]] Delivery read_delivery(const Value* value, const std::string& path, Problems& problems);

/// The backend `store`, when a node's dead letters go there; `dead_letters:` says where it is (dead_letter_node.cc).
void add_dead_letter_store(class MapReader& root, const Value& tree, Config& config);
inline constexpr const char* kDeadLetterStore = "store";
inline constexpr const char* kDeadLetterStoreClass = "dead_letter_store";

/// "source", "consumer", "backend"; and the key of the section that holds them.
[[nodiscard]] const char* kind_text(NodeKind kind) noexcept;
[[nodiscard]] const char* section_of(NodeKind kind) noexcept;

}  // namespace sluice
