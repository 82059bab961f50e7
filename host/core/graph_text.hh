// A configuration as people read it: what will run, after lowering and defaults, every effective value. Pure.
#pragma once

#include "core/config.hh"

#include <string>

namespace sluice {

/// As a native configuration, every value written out and secrets masked. Reading it again gives the same text
/// (except where a secret was masked).
[[nodiscard]] std::string graph_as_text(const Config& config);
/// Of that, what belongs to no node; and what belongs to a node but for its class and the plugin's own config.
[[nodiscard]] std::string host_as_text(const Config& config);
[[nodiscard]] std::string settings_as_text(const NodeConfig& node);
/// For Graphviz.
[[nodiscard]] std::string graph_as_dot(const Config& config);
/// For Markdown pages.
[[nodiscard]] std::string graph_as_mermaid(const Config& config);

}  // namespace sluice
