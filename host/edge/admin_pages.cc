#include "edge/admin_pages.hh"

#include "core/timestamp.hh"
#include "edge/consumer_pages.hh"
#include "edge/delivery_figures.hh"
#include "edge/json_object.hh"
#include "edge/prometheus_text.hh"
#include "edge/wall_clock.hh"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

const char* kind_text(const NodeView& node) noexcept {
  switch (node.kind) {
    case NodeKind::source:
      return "source";
    case NodeKind::consumer:
      return node.observer ? "observer" : "consumer";
    case NodeKind::backend:
      return "backend";
  }
  return "backend";
}

AdminPage json_page(unsigned status, const JsonText& json) { return {status, "application/json", json.text() + "\n"}; }

/// Three decimals are enough for a time in milliseconds, and read better.
double rounded(double number) noexcept { return std::round(number * 1000) / 1000; }

bool has_queue(const NodeView& node) noexcept { return node.kind == NodeKind::backend || node.observer; }

void put_last_error(JsonText& json, const NodeStats& stats) {
  const auto [text, unix_ns] = stats.error();
  if (text.empty()) return;
  const auto scope = json.object("last_error");
  json.member("text", text);
  char time[24];
  write_timestamp(unix_ns, time);
  json.member("time", std::string_view(time, sizeof time));
}

void put_key_store(JsonText& json, const NodeStats& store) {
  const auto scope = json.object("key_store");
  json.member("state", to_text(store.state.load(std::memory_order_relaxed)));
  put_last_error(json, store);
}

/// How long the oldest event of a spool has been waiting. The pages know no clock but the machine's.
double oldest_seconds(const NodeStats& stats) {
  const auto oldest = static_cast<std::int64_t>(stats.spool_oldest_unix_ns.get());
  return oldest == 0 ? 0 : std::max(0.0, rounded(static_cast<double>(WallClock().unix_ns() - oldest) / 1e9));
}

void put_spool(JsonText& json, const NodeView& node) {
  if (!node.spooled) return;
  const auto spool = json.object("spool");
  const NodeStats& stats = *node.stats;
  json.member("records", stats.spool_records.get());
  json.member("bytes", stats.spool_bytes.get());
  json.member("oldest_seconds", oldest_seconds(stats));
  json.member("position", stats.spool_position.get());
  json.member("synced", stats.spool_synced.get());
  json.member("full", stats.spool_full.get() != 0);
  json.member("corrupt", stats.spool_corrupt.get());
  json.member("lost", stats.spool_lost.get());
  json.member("rejected", stats.spool_rejected.get());
}

void put_node(JsonText& json, const NodeView& node) {
  const auto scope = json.object();
  const NodeStats& stats = *node.stats;
  json.member("name", node.name);
  json.member("kind", kind_text(node));
  json.member("class", node.klass);
  json.member("required", node.required);
  json.member("state", to_text(stats.state.load(std::memory_order_relaxed)));
  json.member("down", is_down(node));
  if (has_queue(node)) {
    const auto queue = json.object("queue");
    json.member("events", stats.queue_events.get());
    json.member("bytes", stats.queue_bytes.get());
  }
  if (node.kind == NodeKind::backend) {
    json.member("breaker", to_text(stats.breaker.load(std::memory_order_relaxed)));
  }
  if (node.key_store != nullptr) put_key_store(json, *node.key_store);
  put_spool(json, node);
  put_last_error(json, stats);
}

/// Of the last one only; the counts are in /metrics.
void put_reload(JsonText& json, const ReloadView& reloads) {
  if (reloads.last.empty()) return;
  const auto scope = json.object("last_reload");
  json.member("result", reloads.last);
  char time[24];
  write_timestamp(reloads.last_unix_ns, time);
  json.member("time", std::string_view(time, sizeof time));
  json.member("text", reloads.last_text);
}

void put_dedup(JsonText& json, const NodeView& node) {
  const auto scope = json.object("dedup");
  json.member("duplicates_skipped", node.stats->duplicates_skipped.get());
  json.member("without_key", node.stats->without_key.get());
  json.member("keys_known", node.stats->keys_known.get());
  json.member("keys_forgotten", node.stats->keys_forgotten.get());
  if (node.key_store == nullptr) return;
  const Histogram& took = node.key_store->publish_ns;
  const auto store = json.object("key_store");
  json.member("state", to_text(node.key_store->state.load(std::memory_order_relaxed)));
  json.member("keys_recorded", node.key_store->records_in.get());
  json.member(
      "avg_latency_ms",
      took.count() == 0 ? 0 : rounded(static_cast<double>(took.sum()) / static_cast<double>(took.count()) / 1e6));
  json.member("p99_latency_ms", rounded(static_cast<double>(took.percentile(0.99)) / 1e6));
}

void put_figures(JsonText& json, const DeliveryFigures& figures) {
  json.member("events_published", figures.published);
  json.member("events_failed", figures.failed);
  json.member("success_rate", figures.success_rate());
  json.member("avg_latency_ms", rounded(figures.average_ms));
  json.member("p50_latency_ms", rounded(figures.p50_ms));
  json.member("p95_latency_ms", rounded(figures.p95_ms));
  json.member("p99_latency_ms", rounded(figures.p99_ms));
}

void put_backends(JsonText& json, const GraphView& graph) {
  const auto scope = json.object("backends");
  for (const NodeView& node : graph.nodes) {
    if (node.kind != NodeKind::backend) continue;
    const auto backend = json.object(node.name);
    const NodeStats& stats = *node.stats;
    json.member("class", node.klass);
    put_figures(json, figures_of(stats));
    json.member("retries", stats.retries.get());
    json.member("dead_lettered", stats.dead_lettered.get());
    json.member("expired", stats.expired.get());
    json.member("shed", stats.dropped_full.get());
    json.member("possible_duplicates", stats.duplicates_possible.get());
    json.member("queue_events", stats.queue_events.get());
    json.member("queue_bytes", stats.queue_bytes.get());
    json.member("in_flight", stats.in_flight.get());
    put_spool(json, node);
  }
}

void put_sources(JsonText& json, const GraphView& graph) {
  const auto scope = json.object("sources");
  for (const NodeView& node : graph.nodes) {
    if (node.kind != NodeKind::source) continue;
    const auto source = json.object(node.name);
    const NodeStats& stats = *node.stats;
    json.member("class", node.klass);
    json.member("records_in", stats.records_in.get());
    json.member("bytes_in", stats.bytes_in.get());
    json.member("events_in", total(stats, &TypeCounters::in));
    json.member("undecodable", stats.undecodable.get());
    if (node.dedup) put_dedup(json, node);
    const auto settled = json.object("settled");
    json.member("delivered", stats.settled_delivered.get());
    json.member("dropped", stats.settled_dropped.get());
    json.member("rejected", stats.settled_rejected.get());
    json.member("retry", stats.settled_retry.get());
  }
}

void put_consumers(JsonText& json, const GraphView& graph) {
  const auto scope = json.object("consumers");
  for (const NodeView& node : graph.nodes) {
    if (node.kind != NodeKind::consumer) continue;
    const auto consumer = json.object(node.name);
    const NodeStats& stats = *node.stats;
    json.member("class", node.klass);
    json.member("observer", node.observer);
    json.member("events_in", total(stats, &TypeCounters::in));
    json.member("events_out", total(stats, &TypeCounters::out));
    json.member("dropped", total(stats, &TypeCounters::dropped));
    json.member("rejected", total(stats, &TypeCounters::rejected));
    json.member("derived", stats.derived.get());
    json.member("shed", stats.dropped_full.get());
    put_spool(json, node);
  }
}

AdminPage not_found(std::string_view path) {
  JsonText json;
  {
    const auto scope = json.object();
    json.member("error", "there is no page " + std::string(path.substr(0, 256)));
    json.raw("pages", R"(["/health","/ready","/stats","/metrics"])");
  }
  return json_page(404, json);
}

}  // namespace

AdminPage health_page(const GraphView& graph, const std::vector<MetricSample>& plugin_samples) {
  bool required_down = false, any_down = false;
  for (const NodeView& node : graph.nodes) {
    any_down = any_down || is_down(node);
    required_down = required_down || (node.required && is_down(node));
  }
  JsonText json;
  {
    const auto scope = json.object();
    json.member("status", required_down ? "down" : any_down ? "degraded" : "ok");
    json.member("version", graph.version);
    put_reload(json, graph.reloads);
    put_consumer_health(json, graph, plugin_samples);
    const auto nodes = json.list("nodes");
    for (const NodeView& node : graph.nodes) put_node(json, node);
  }
  return json_page(required_down ? 503 : 200, json);
}

AdminPage ready_page(const GraphView& graph) {
  std::vector<const NodeView*> missing;
  for (const NodeView& node : graph.nodes) {
    const NodeState state = node.stats->state.load(std::memory_order_relaxed);
    const bool runs = state == NodeState::running || state == NodeState::ended;
    if (node.required && (!runs || is_down(node))) missing.push_back(&node);
  }
  JsonText json;
  {
    const auto scope = json.object();
    json.member("ready", missing.empty());
    const auto names = json.list("waiting_for");
    for (const NodeView* node : missing) {
      const auto each = json.object();
      json.member("name", node->name);
      json.member("state", to_text(node->stats->state.load(std::memory_order_relaxed)));
    }
  }
  return json_page(missing.empty() ? 200 : 503, json);
}

AdminPage stats_page(const GraphView& graph) {
  JsonText json;
  {
    const auto scope = json.object();
    put_figures(json, figures_of(graph));
    put_consumer_stats(json, graph);
    put_backends(json, graph);
    put_sources(json, graph);
    put_consumers(json, graph);
    const auto types = json.object("by_type");
    for (const TypeFigures& of : types_of(graph)) {
      const auto type = json.object(of.type);
      json.member("received", of.received);
      json.member("delivered", of.delivered);
      json.member("failed", of.failed);
    }
  }
  return json_page(200, json);
}

AdminPage metrics_page(const GraphView& graph, const std::vector<MetricSample>& plugin_samples,
                       const ProcessFacts& process) {
  return {200, "text/plain; version=0.0.4; charset=utf-8", prometheus_text(graph, plugin_samples, process)};
}

AdminPage admin_page(const AdminSources& sources, std::string_view path) {
  path = path.substr(0, path.find('?'));
  if (path == "/health") return health_page(sources.graph, sources.plugin_samples());
  if (path == "/ready") return ready_page(sources.graph);
  if (path == "/stats") return stats_page(sources.graph);
  if (path == "/metrics") {
    std::vector<MetricSample> samples = sources.plugin_samples();
    add_consumer_samples(samples, sources.graph);
    return metrics_page(sources.graph, samples, sources.process());
  }
  return not_found(path);
}

}  // namespace sluice
