// `sluice run`: from a configuration to a running graph and back to an exit code.
#pragma once

#include "core/config.hh"
#include "core/node_view.hh"
#include "edge/command_line.hh"

#include <functional>

namespace sluice {

class PluginLibrary;
struct LoadOptions;
class Signals;
class StreamLog;

[[nodiscard]] int run_command(const RunCommand& command);

/// Runs a checked configuration to its end. `at_end` speaks in place of the usual summary: its nodes' figures are
/// final. SIGHUP reads `reload_from` again; null: it is ignored. Requires: `signals` was made before any thread.
using AtEnd = std::function<void(const GraphView& view)>;
[[nodiscard]] int run_graph(const Config& config, PluginLibrary& library, Signals& signals, StreamLog& log,
                            const AtEnd& at_end, const LoadOptions* reload_from = nullptr);

}  // namespace sluice
