#include "edge/consumer_pages.hh"

#include "core/type_table.hh"
#include "edge/json_object.hh"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sluice {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint64_t kNewsNs = 10 * kNsPerSecond;       // "consuming_events" when something was consumed
constexpr std::uint64_t kHeartbeatNs = 60 * kNsPerSecond;  // and when nothing was
constexpr const char* kHandover = "handover";

const NodeView* node_of(const GraphView& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &NodeView::name);
  return found == graph.nodes.end() ? nullptr : &*found;
}

const NodeView* source_of(const GraphView& graph) {
  return graph.consumer == nullptr || graph.consumer->node.empty() ? nullptr : node_of(graph, graph.consumer->node);
}

NodeState state_of(const NodeView& node) { return node.stats->state.load(std::memory_order_relaxed); }

/// What the source says of its stream and group; 0 while it has said nothing.
double gauge_of(const std::string& node, std::string_view name, const std::vector<MetricSample>& samples) {
  for (const MetricSample& sample : samples) {
    if (sample.node == node && sample.name == name) return sample.value;
  }
  return 0;
}

}  // namespace

ConsumerFigures consumer_figures(const GraphView& graph) {
  ConsumerFigures figures;
  const NodeView* source = source_of(graph);
  if (source == nullptr) return figures;
  const NodeStats& stats = *source->stats;
  figures.total_consumed = total(stats, &TypeCounters::in);
  figures.filtered = total(stats, &TypeCounters::dropped);
  figures.failed = stats.settled_rejected.get();
  figures.duplicates_skipped = stats.duplicates_skipped.get();
  figures.processed = stats.settled_delivered.get();
  if (const NodeView* handover = node_of(graph, kHandover)) {
    figures.processed += total(*handover->stats, &TypeCounters::dropped);
  }
  return figures;
}

void put_consumer_health(JsonText& json, const GraphView& graph, const std::vector<MetricSample>& samples) {
  const NodeView* source = source_of(graph);
  if (source == nullptr) return;
  const bool running = state_of(*source) == NodeState::running;
  json.member("enabled", true);
  json.member("healthy", running);
  const auto gauge = [&](std::string_view name) { return gauge_of(source->name, name, samples); };
  json.member("stream_exists", gauge("source_stream_exists") > 0);
  json.member("group_exists", gauge("source_group_exists") > 0);
  json.member("pending_count", static_cast<std::uint64_t>(std::max(gauge("source_pending_events"), 0.0)));
  json.member("running", running);
}

void put_consumer_stats(JsonText& json, const GraphView& graph) {
  const NodeView* source = source_of(graph);
  if (source == nullptr) return;
  const ConsumerFigures figures = consumer_figures(graph);
  json.member("total_consumed", figures.total_consumed);
  json.member("processed", figures.processed);
  json.member("filtered", figures.filtered);
  json.member("failed", figures.failed);
  json.member("duplicates_skipped", figures.duplicates_skipped);
  const auto types = json.object("by_event_type");
  const auto names = graph.types == nullptr ? std::vector<std::string>{} : graph.types->names();
  for (std::size_t id = 0; id < names.size() && id < limits::kTypes; ++id) {
    const std::uint64_t seen = source->stats->by_type[id].in.get();
    if (seen > 0) json.member(names[id], seen);
  }
}

void add_consumer_samples(std::vector<MetricSample>& samples, const GraphView& graph) {
  const NodeView* source = source_of(graph);
  if (source == nullptr) return;
  const ConsumerFigures figures = consumer_figures(graph);
  const auto add = [&](const char* name, const char* help, std::uint64_t value) {
    samples.push_back({source->name, name, help, SLUICE_COUNTER, {}, static_cast<double>(value)});
  };
  add("consumer_total_consumed", "Events of the stream that were consumed.", figures.total_consumed);
  add("consumer_processed_total", "Events handed over, or left to their job's batch.", figures.processed);
  add("consumer_filtered_total", "Events that consume_events leaves out.", figures.filtered);
  add("consumer_failed_total", "Events given up: they are in the dead letters.", figures.failed);
  add("consumer_duplicates_skipped_total", "Events that had been processed before.", figures.duplicates_skipped);
  std::ranges::stable_sort(samples, [](const MetricSample& a, const MetricSample& b) {
    return std::tie(a.name, a.node) < std::tie(b.name, b.node);
  });
}

void ConsumerLog::look(std::uint64_t now_ns) {
  const NodeView* source = source_of(graph_);
  if (source == nullptr) return;
  const NodeState state = state_of(*source);
  const std::string stream = "stream=" + consumer_.stream + ", group=" + consumer_.group;
  if (state == NodeState::away || state == NodeState::broken) {
    if (!std::exchange(told_away_, true)) {
      say(Level::error, "failed_to_initialize_consumer: " + stream + ", reason=" + source->stats->error().first);
    }
    running_ = false;
    return;
  }
  if (state != NodeState::running) return;
  told_away_ = false;
  if (!std::exchange(running_, true)) {
    say(Level::info, "event_consumer_service_running");
    said_ns_ = 0;
  }
  const ConsumerFigures figures = consumer_figures(graph_);
  const std::uint64_t wait = figures.total_consumed == said_total_ ? kHeartbeatNs : kNewsNs;
  if (said_ns_ != 0 && now_ns < said_ns_ + wait) return;
  said_ns_ = now_ns;
  said_total_ = figures.total_consumed;
  say(Level::info, "consuming_events: stream=" + consumer_.stream + ", total_consumed=" +
                       std::to_string(figures.total_consumed) + ", processed=" + std::to_string(figures.processed) +
                       ", filtered=" + std::to_string(figures.filtered) + ", failed=" + std::to_string(figures.failed) +
                       ", duplicates_skipped=" + std::to_string(figures.duplicates_skipped));
}

}  // namespace sluice
