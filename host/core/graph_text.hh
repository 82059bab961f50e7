// A configuration as people read it: what will run, after lowering and defaults, every effective value. Pure.
#pragma once

#include "core/config.hh"

#include <string>

namespace sluice {

/// As a native configuration, every value written out and secrets masked. Reading it again gives the same text
/// (except where a secret was masked).
[[nodiscard]] std::string graph_as_text(const Config& config);
/// For Graphviz.
[[nodiscard]] std::string graph_as_dot(const Config& config);
/// For Markdown pages.
[[nodiscard]] std::string graph_as_mermaid(const Config& config);

}  // namespace sluice
