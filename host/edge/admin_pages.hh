// What the admin server answers: /health, /ready, /stats and /metrics, from the numbers of the running graph. Pure.
#pragma once

#include "core/node_view.hh"
#include "edge/plugin_metrics.hh"
#include "edge/process_facts.hh"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct AdminPage {
  unsigned status = 200;  // HTTP
  std::string content_type;
  std::string body;
};

/// Every node with state, queue, breaker and last error. 503 when a required node is down.
[[nodiscard]] AdminPage health_page(const GraphView& graph, const std::vector<MetricSample>& plugin_samples = {});
/// 200 while events are taken in and every required node runs; 503 with the names of those that do not.
[[nodiscard]] AdminPage ready_page(const GraphView& graph);
/// Counts and times for people and scripts, in the documents' words.
[[nodiscard]] AdminPage stats_page(const GraphView& graph);
[[nodiscard]] AdminPage metrics_page(const GraphView& graph, const std::vector<MetricSample>& plugin_samples,
                                     const ProcessFacts& process);

/// What the pages look at, asked for when somebody asks.
struct AdminSources {
  const GraphView& graph;
  std::function<std::vector<MetricSample>()> plugin_samples;
  std::function<ProcessFacts()> process;
};
/// The page for a path without its query; 404 with the list of pages for any other.
[[nodiscard]] AdminPage admin_page(const AdminSources& sources, std::string_view path);

}  // namespace sluice
