// The only file that knows prometheus-cpp. Nothing is registered there: families are filled when somebody asks, from
// the counters that the lanes keep anyway, and the library writes them down.
#include "edge/prometheus_text.hh"

#include "edge/delivery_figures.hh"
#include "edge/json_text.hh"
#include "edge/wall_clock.hh"

#include <sluice/types.h>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

namespace sluice {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;
using Families = std::vector<MetricFamily>;

const char* to_text(NodeKind kind) noexcept {
  switch (kind) {
    case NodeKind::source:
      return "source";
    case NodeKind::consumer:
      return "consumer";
    case NodeKind::backend:
      return "backend";
  }
  return "backend";
}

MetricFamily family(const char* name, MetricType type, const char* help) { return {name, help, type, {}}; }

void add_counter(MetricFamily& into, Labels labels, double value) {
  ClientMetric& metric = into.metric.emplace_back();
  metric.label = std::move(labels);
  metric.counter.value = value;
}

void add_gauge(MetricFamily& into, Labels labels, double value) {
  ClientMetric& metric = into.metric.emplace_back();
  metric.label = std::move(labels);
  metric.gauge.value = value;
}

/// Our buckets end at every quarter of a power of two; the ones given out end at the powers first, first * step, …, so
/// that every count is exact. `unit` is how many of the histogram's units make one of the metric's.
struct Bounds {
  unsigned first_power, last_power, step;
  double unit;
};
constexpr Bounds kLatency{13, 36, 1, 1e9};  // 8 us … 69 s
constexpr Bounds kAge{20, 48, 2, 1e9};      // 1 ms … 3 days
constexpr Bounds kSize{6, 24, 2, 1};        // 64 B … 16 MiB

void add_histogram(MetricFamily& into, Labels labels, const Histogram& from, const Bounds& bounds) {
  ClientMetric& metric = into.metric.emplace_back();
  metric.label = std::move(labels);
  std::uint64_t seen = 0;
  std::size_t next = 0;
  for (unsigned power = bounds.first_power; power <= bounds.last_power; power += bounds.step) {
    const std::uint64_t bound = std::uint64_t{1} << power;
    for (; next < Histogram::kBuckets && Histogram::upper_bound(next) < bound; ++next) seen += from.bucket(next);
    metric.histogram.bucket.push_back({seen, static_cast<double>(bound) / bounds.unit});
  }
  for (; next < Histogram::kBuckets; ++next) seen += from.bucket(next);
  metric.histogram.sample_count = seen;  // not count(): a lane may have added since
  metric.histogram.sample_sum = static_cast<double>(from.sum()) / bounds.unit;
}

Labels node_labels(const NodeView& node) { return {{"node", node.name}, {"kind", to_text(node.kind)}}; }

struct TypeFamily {
  const char* name;
  const char* help;
  Counter TypeCounters::*counter;
};
constexpr TypeFamily kTypeFamilies[] = {
    {"sluice_events_in_total", "Events that reached the node.", &TypeCounters::in},
    {"sluice_events_out_total",
     "Events that left the node: routed by a source, passed by a consumer, delivered by a "
     "backend.",
     &TypeCounters::out},
    {"sluice_events_dropped_total", "Events that a consumer dropped on purpose.", &TypeCounters::dropped},
    {"sluice_events_rejected_total", "Events refused for good, by a consumer or by the far side of a backend.",
     &TypeCounters::rejected},
    {"sluice_events_retried_total", "Tries of events that were offered to a backend again.", &TypeCounters::retried},
    {"sluice_events_failed_total", "Events that a backend gave up on.", &TypeCounters::failed},
};

void add_by_type(Families& families, const GraphView& graph) {
  const auto names = graph.types == nullptr ? std::vector<std::string>{} : graph.types->names();
  for (const TypeFamily& of : kTypeFamilies) {
    MetricFamily made = family(of.name, MetricType::Counter, of.help);
    for (const NodeView& node : graph.nodes) {
      for (std::size_t id = 0; id < names.size() && id < limits::kTypes; ++id) {
        const TypeCounters& counters = node.stats->by_type[id];
        if (counters.in.get() + counters.out.get() == 0) continue;  // a type that never came here
        Labels labels = node_labels(node);
        labels.push_back({"type", safe_utf8(names[id])});
        add_counter(made, std::move(labels), static_cast<double>((counters.*of.counter).get()));
      }
    }
    families.push_back(std::move(made));
  }
}

enum Of : unsigned { kSources = 1, kConsumers = 2, kObservers = 4, kBackends = 8, kAll = 15, kSpools = 16 };

bool has(const NodeView& node, unsigned of) noexcept {
  switch (node.kind) {
    case NodeKind::source:
      return (of & kSources) != 0;
    case NodeKind::consumer:
      return (of & (node.observer ? kObservers : kConsumers)) != 0 || ((of & kSpools) != 0 && node.spooled);
    case NodeKind::backend:
      return (of & kBackends) != 0 || ((of & kSpools) != 0 && node.spooled);
  }
  return false;
}

struct NodeFamily {
  const char* name;
  const char* help;
  Counter NodeStats::*counter;
  unsigned of;
  MetricType type = MetricType::Counter;
};
constexpr NodeFamily kNodeFamilies[] = {
    {"sluice_records_in_total", "Records that a source took in.", &NodeStats::records_in, kSources},
    {"sluice_received_bytes_total", "Bytes of the records that a source took in.", &NodeStats::bytes_in, kSources},
    {"sluice_records_undecodable_total", "Records that held no valid event.", &NodeStats::undecodable, kSources},
    {"sluice_events_derived_total", "Events that a consumer made.", &NodeStats::derived, kConsumers},
    {"sluice_publish_attempts_total", "Tries that used up an attempt of an event.", &NodeStats::attempts, kBackends},
    {"sluice_publish_retries_total", "Failed tries that were followed by another.", &NodeStats::retries, kBackends},
    {"sluice_publish_timeouts_total", "Tries whose outcome stayed unknown.", &NodeStats::timeouts, kBackends},
    {"sluice_events_dead_lettered_total", "Events handed to the dead letter backend.", &NodeStats::dead_lettered,
     kBackends},
    {"sluice_events_expired_total", "Events that were older than max_age.", &NodeStats::expired, kBackends},
    {"sluice_possible_duplicates_total", "Events that were offered again although they may have been delivered.",
     &NodeStats::duplicates_possible, kBackends},
    {"sluice_events_shed_total", "Events dropped because the queue was full.", &NodeStats::dropped_full,
     kBackends | kObservers},
    {"sluice_away_periods_total", "How often the far side went away.", &NodeStats::away_periods, kSources | kBackends},
    {"sluice_breaker_opened_total", "How often the circuit breaker opened.", &NodeStats::breaker_opened, kBackends},
    {"sluice_contract_breaches_total", "How often the plugin broke its contract.", &NodeStats::breaches, kAll},
    {"sluice_queue_events", "Events that wait in the node's queue.", &NodeStats::queue_events, kBackends | kObservers,
     MetricType::Gauge},
    {"sluice_queue_bytes", "Bytes of the events that wait in the node's queue.", &NodeStats::queue_bytes,
     kBackends | kObservers, MetricType::Gauge},
    {"sluice_in_flight", "Source: records not settled yet. Backend: events not answered yet.", &NodeStats::in_flight,
     kSources | kBackends, MetricType::Gauge},
    {"sluice_spool_records", "Events in the spool that are not delivered yet.", &NodeStats::spool_records, kSpools,
     MetricType::Gauge},
    {"sluice_spool_bytes", "Bytes of the spool's segments and rejected events on disk.", &NodeStats::spool_bytes,
     kSpools, MetricType::Gauge},
    {"sluice_spool_position", "Number of the lowest record that is not delivered.", &NodeStats::spool_position, kSpools,
     MetricType::Gauge},
    {"sluice_spool_synced_position", "Number of the last record that is safe on disk.", &NodeStats::spool_synced,
     kSpools, MetricType::Gauge},
    {"sluice_spool_full", "1 while the spool takes nothing: it reached its bound, or its disk refuses.",
     &NodeStats::spool_full, kSpools, MetricType::Gauge},
    {"sluice_spool_corrupt_total", "Places in the spool that held no whole record.", &NodeStats::spool_corrupt,
     kSpools},
    {"sluice_spool_lost_total", "Records that could not be read back.", &NodeStats::spool_lost, kSpools},
    {"sluice_spool_rejected_total", "Events that the far side refused for good and that are kept beside the spool.",
     &NodeStats::spool_rejected, kSpools},
};

void add_by_node(Families& families, const GraphView& graph) {
  for (const NodeFamily& of : kNodeFamilies) {
    MetricFamily made = family(of.name, of.type, of.help);
    for (const NodeView& node : graph.nodes) {
      if (!has(node, of.of)) continue;
      const auto value = static_cast<double>((node.stats->*of.counter).get());
      (of.type == MetricType::Gauge ? add_gauge : add_counter)(made, node_labels(node), value);
    }
    families.push_back(std::move(made));
  }
}

void add_dedup(Families& families, const GraphView& graph) {
  struct OfDedup {
    const char *name, *help;
    Counter NodeStats::*counter;
    MetricType type;
  };
  constexpr OfDedup kOfDedup[] = {
      {"sluice_duplicates_skipped_total", "Events that were left out because their key is known or under way.",
       &NodeStats::duplicates_skipped, MetricType::Counter},
      {"sluice_dedup_without_key_total", "Events that passed because they have no business key.",
       &NodeStats::without_key, MetricType::Counter},
      {"sluice_dedup_keys", "Delivered keys that this host knows.", &NodeStats::keys_known, MetricType::Gauge},
      {"sluice_dedup_keys_forgotten_total", "Keys forgotten before their time because there were too many.",
       &NodeStats::keys_forgotten, MetricType::Counter},
  };
  for (const OfDedup& of : kOfDedup) {
    MetricFamily made = family(of.name, of.type, of.help);
    for (const NodeView& node : graph.nodes) {
      if (!node.dedup) continue;
      const auto value = static_cast<double>((node.stats->*of.counter).get());
      (of.type == MetricType::Gauge ? add_gauge : add_counter)(made, {{"node", node.name}}, value);
    }
    families.push_back(std::move(made));
  }
  MetricFamily up = family("sluice_key_store_up", MetricType::Gauge, "1 while the store of a source's keys answers.");
  MetricFamily took = family("sluice_key_store_latency_seconds", MetricType::Histogram,
                             "Time that the store of a source's keys took to look up or record a batch.");
  for (const NodeView& node : graph.nodes) {
    if (node.key_store == nullptr) continue;
    const bool runs = node.key_store->state.load(std::memory_order_relaxed) == NodeState::running;
    add_gauge(up, {{"node", node.name}}, runs ? 1 : 0);
    add_histogram(took, {{"node", node.name}}, node.key_store->publish_ns, kLatency);
  }
  families.push_back(std::move(up));
  families.push_back(std::move(took));
}

/// Of what waits on disk; 0 while nothing does.
void add_oldest(Families& families, const GraphView& graph) {
  MetricFamily made = family("sluice_spool_oldest_seconds", MetricType::Gauge,
                             "How long the oldest event in the spool has been waiting.");
  for (const NodeView& node : graph.nodes) {
    if (!node.spooled) continue;
    const auto oldest = static_cast<std::int64_t>(node.stats->spool_oldest_unix_ns.get());
    const double age = oldest == 0 ? 0 : static_cast<double>(WallClock().unix_ns() - oldest) / 1e9;
    add_gauge(made, node_labels(node), std::max(age, 0.0));
  }
  families.push_back(std::move(made));
}

void add_settled(Families& families, const GraphView& graph) {
  MetricFamily made = family("sluice_records_settled_total", MetricType::Counter,
                             "Records whose source was told what became of them, by outcome.");
  for (const NodeView& node : graph.nodes) {
    if (node.kind != NodeKind::source) continue;
    const auto add = [&](const char* outcome, const Counter& counter) {
      add_counter(made, {{"node", node.name}, {"outcome", outcome}}, static_cast<double>(counter.get()));
    };
    add("delivered", node.stats->settled_delivered);
    add("dropped", node.stats->settled_dropped);
    add("rejected", node.stats->settled_rejected);
    add("retry", node.stats->settled_retry);
  }
  families.push_back(std::move(made));
}

void add_reloads(Families& families, const GraphView& graph) {
  MetricFamily made = family("sluice_reloads_total", MetricType::Counter,
                             "How often the configuration was read again (SIGHUP), by what became of it.");
  const ReloadView& reloads = graph.reloads;
  add_counter(made, {{"result", "applied"}}, static_cast<double>(reloads.applied));
  add_counter(made, {{"result", "refused"}}, static_cast<double>(reloads.refused));
  add_counter(made, {{"result", "unchanged"}}, static_cast<double>(reloads.unchanged));
  families.push_back(std::move(made));
}

void add_states(Families& families, const GraphView& graph) {
  MetricFamily up = family("sluice_node_up", MetricType::Gauge, "1 while events can pass the node.");
  MetricFamily state = family("sluice_node_state", MetricType::Gauge, "1 for the state that the node is in.");
  MetricFamily breaker = family("sluice_breaker_state", MetricType::Gauge, "1 for the state of the circuit breaker.");
  for (const NodeView& node : graph.nodes) {
    Labels labels = node_labels(node);
    labels.push_back({"class", node.klass});
    add_gauge(up, labels, is_down(node) ? 0 : 1);
    const NodeState now = node.stats->state.load(std::memory_order_relaxed);
    for (const NodeState each : {NodeState::starting, NodeState::running, NodeState::away, NodeState::draining,
                                 NodeState::stopped, NodeState::broken, NodeState::ended}) {
      add_gauge(state, {{"node", node.name}, {"state", to_text(each)}}, each == now ? 1 : 0);
    }
    if (node.kind != NodeKind::backend) continue;
    const BreakerState open = node.stats->breaker.load(std::memory_order_relaxed);
    for (const BreakerState each : {BreakerState::closed, BreakerState::open, BreakerState::half_open}) {
      add_gauge(breaker, {{"node", node.name}, {"state", to_text(each)}}, each == open ? 1 : 0);
    }
  }
  for (MetricFamily* made : {&up, &state, &breaker}) families.push_back(std::move(*made));
}

void add_histograms(Families& families, const GraphView& graph) {
  MetricFamily processing = family("sluice_source_processing_seconds", MetricType::Histogram,
                                   "Time from a source's handing over a record to its being told the outcome.");
  MetricFamily latency = family("sluice_publish_latency_seconds", MetricType::Histogram,
                                "Time from offering an event to a backend's plugin to its answer.");
  MetricFamily size = family("sluice_event_size_bytes", MetricType::Histogram, "Size of an event as delivered.");
  MetricFamily age = family("sluice_event_age_seconds", MetricType::Histogram,
                            "Time from an event's own time attribute to its delivery.");
  for (const NodeView& node : graph.nodes) {
    if (node.kind == NodeKind::source)
      add_histogram(processing, {{"node", node.name}}, node.stats->settle_ns, kLatency);
    if (node.kind != NodeKind::backend) continue;
    add_histogram(latency, {{"node", node.name}}, node.stats->publish_ns, kLatency);
    add_histogram(size, {{"node", node.name}}, node.stats->payload_bytes, kSize);
    add_histogram(age, {{"node", node.name}}, node.stats->event_age_ns, kAge);
  }
  for (MetricFamily* made : {&processing, &latency, &size, &age}) families.push_back(std::move(*made));
}

void add_process(Families& families, const GraphView& graph, const ProcessFacts& process) {
  const auto gauge = [&](const char* name, const char* help, double value, Labels labels = {}) {
    add_gauge(families.emplace_back(family(name, MetricType::Gauge, help)), std::move(labels), value);
  };
  gauge("sluice_build_info", "1; the labels say what is running.", 1,
        {{"version", graph.version}, {"plugin_abi", "1." + std::to_string(SLUICE_ABI_MINOR)}});
  add_counter(families.emplace_back(family("process_cpu_seconds_total", MetricType::Counter,
                                           "User and system CPU time spent in seconds.")),
              {}, process.cpu_seconds);
  gauge("process_resident_memory_bytes", "Resident memory size in bytes.", static_cast<double>(process.resident_bytes));
  gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", static_cast<double>(process.virtual_bytes));
  gauge("process_open_fds", "Number of open file descriptors.", static_cast<double>(process.open_fds));
  gauge("process_max_fds", "Maximum number of open file descriptors.", static_cast<double>(process.max_fds));
  gauge("process_start_time_seconds", "Start time of the process since the Unix epoch in seconds.",
        process.start_time_seconds);
}

/// A name that the host uses itself would make the page invalid: then the plugin's gets a prefix of its own.
std::string plugin_family_name(const Families& families, const std::string& name) {
  const std::string full = "sluice_" + name;
  const bool taken = std::any_of(families.begin(), families.end(), [&](const auto& f) { return f.name == full; });
  return taken ? "sluice_plugin_" + name : full;
}

void add_plugins(Families& families, const std::vector<MetricSample>& samples) {
  std::string name;
  Families made;
  for (const MetricSample& sample : samples) {
    if (made.empty() || sample.name != name) {
      name = sample.name;
      MetricFamily& fresh = made.emplace_back();
      fresh.name = plugin_family_name(families, name);
      fresh.help = safe_utf8(sample.help);
      fresh.type = sample.kind == SLUICE_GAUGE ? MetricType::Gauge : MetricType::Counter;
    }
    Labels labels{{"node", sample.node}};
    for (const auto& [key, value] : sample.labels)
      labels.push_back({key == "node" ? "plugin_node" : key, safe_utf8(value)});
    (sample.kind == SLUICE_GAUGE ? add_gauge : add_counter)(made.back(), std::move(labels), sample.value);
  }
  std::move(made.begin(), made.end(), std::back_inserter(families));
}

}  // namespace

std::string prometheus_text(const GraphView& graph, const std::vector<MetricSample>& plugin_samples,
                            const ProcessFacts& process) {
  Families families;
  add_by_type(families, graph);
  add_by_node(families, graph);
  add_oldest(families, graph);
  add_settled(families, graph);
  add_dedup(families, graph);
  add_states(families, graph);
  add_reloads(families, graph);
  add_histograms(families, graph);
  add_process(families, graph, process);
  add_plugins(families, plugin_samples);
  families.erase(std::remove_if(families.begin(), families.end(), [](const auto& f) { return f.metric.empty(); }),
                 families.end());
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace sluice
