// A run beside the host's own: events from a source of one's own through the lane of one backend of a configuration,
// with its retries, breaker, limits and dead letters. What `sluice dlq redrive` and `sluice replay` are made of: there
// is one delivery path, and they use it.
#pragma once

#include "core/config.hh"
#include "core/node_view.hh"
#include "core/problem.hh"
#include "edge/command_line.hh"
#include "edge/plugin_library.hh"
#include "run_command.hh"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// A checked configuration and its classes.
struct OpenConfig {
  Config config;
  std::unique_ptr<PluginLibrary> library;
};
/// Empty when the configuration is wrong: then everything that is wrong has been printed.
[[nodiscard]] std::optional<OpenConfig> open_config(const std::string& file, const std::vector<Setting>& settings);

/// The backend of that name, cut to one element for "webhook[1]"; nothing when there is none.
[[nodiscard]] std::optional<NodeConfig> find_backend(const Config& config, const std::string& name);

/// A node of one of the host's or a module's classes, checked. Throws SetupError that says what is wrong with it.
[[nodiscard]] NodeConfig make_node(const OpenConfig& open, NodeKind kind, const std::string& name,
                                   const std::string& klass, Value config);

/// A configuration with the host's settings of another and no nodes.
[[nodiscard]] Config without_nodes(const Config& config);
/// Adds the backend as the one target, fed by `input`, and what its dead letters need. Nothing of it drops.
void add_target(Config& run, const Config& whole, NodeConfig target, const std::string& input, double rate_per_second);

/// What became of the events, over all sources of a run.
struct SideFigures {
  std::uint64_t read = 0, delivered = 0, dropped = 0, rejected = 0, undelivered = 0;
};
[[nodiscard]] SideFigures figures_of_sources(const GraphView& view);

/// Runs it; says trouble, shows progress on a terminal. The exit code of the run.
[[nodiscard]] int run_beside(const Config& run, PluginLibrary& library, Signals& signals, const AtEnd& at_end);

}  // namespace sluice
