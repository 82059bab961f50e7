// What is said when a run ends: for people as a few lines, for machines as the fields of one log line. Pure.
#pragma once

#include "core/node_view.hh"
#include "core/ports.hh"

#include <string>
#include <vector>

namespace sluice {

/// What a plugin wants said at the end (Node::summary()).
struct PluginSummary {
  std::string node;
  std::string text;  // lines
};

/// Published, failed, success rate and times in all and per backend; event types; what the sources were told; then the
/// plugins' own lines. Ends with a line end.
[[nodiscard]] std::string summary_text(const GraphView& graph, const std::vector<PluginSummary>& plugins);

/// The figures in all, for "Run ended" in a JSON log.
[[nodiscard]] std::vector<Field> summary_fields(const GraphView& graph);

}  // namespace sluice
