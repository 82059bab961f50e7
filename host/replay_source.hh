// Where `sluice replay` reads: files, the event logs of a configuration, or a stream.
#pragma once

#include "side_run.hh"

#include <string>
#include <vector>

namespace sluice {

/// The source nodes that stand for what --source said; for the event logs of the configuration when it said nothing.
/// `state` is the file that keeps how far they are settled; empty: none. Throws SetupError that names the cure.
[[nodiscard]] std::vector<NodeConfig> replay_sources(const OpenConfig& open, const std::vector<std::string>& asked,
                                                     const std::string& into, const std::string& state);

/// An event log and what was rotated away from it, oldest first: rotated names carry their time.
[[nodiscard]] std::vector<std::string> files_of_log(const std::string& path);

}  // namespace sluice
