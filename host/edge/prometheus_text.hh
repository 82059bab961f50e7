// /metrics: the graph's numbers in the Prometheus text format 0.0.4.
#pragma once

#include "core/node_view.hh"
#include "edge/plugin_metrics.hh"
#include "edge/process_facts.hh"

#include <string>
#include <vector>

namespace sluice {

/// Pure: reads counters, nothing else. `plugin_samples` as PluginMetrics::samples() orders them.
[[nodiscard]] std::string prometheus_text(const GraphView& graph, const std::vector<MetricSample>& plugin_samples,
                                          const ProcessFacts& process);

}  // namespace sluice
