#include "simulation.hh"

#include "nodes.hh"
#include "swaps.hh"

#include "core/graph.hh"
#include "run/pipeline.hh"

#include <sluice/module.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace sluice::sim {

namespace {

struct Plan {
  Config config;
  std::vector<NodeFacts> facts;
  std::string words;
};

std::optional<Filter> random_filter(Random& random) {
  static const char* const kFilters[] = {R"({"exact":{"type":"t.a"}})", R"({"not":{"exact":{"type":"t.b"}}})",
                                         R"({"types":["t.*"]})", R"({"suffix":{"id":"7"}})"};
  if (random.below(3) != 0) return std::nullopt;
  std::string why;
  auto filter = Filter::parse(kFilters[random.below(4)], why);
  require(filter.has_value(), "a filter of the simulation is refused: " + why);
  return filter;
}

Delivery random_delivery(Random& random, const std::string& dead_letter, bool may_block) {
  Delivery delivery;
  delivery.queue.max_events = 8 + random.below(200);
  delivery.queue.max_bytes = 4096 + random.below(200'000);
  const auto full = random.below(4);
  delivery.when_full = full == 0                           ? WhenFull::drop_newest
                       : full == 1 && !dead_letter.empty() ? WhenFull::dead_letter
                                                           : WhenFull::block;
  if (!may_block && delivery.when_full == WhenFull::block) delivery.when_full = WhenFull::drop_newest;
  delivery.retry.max_attempts = 1 + static_cast<std::uint32_t>(random.below(5));
  delivery.retry.delay = milliseconds(1 + random.below(500));
  delivery.retry.max_delay = milliseconds(1000);
  if (random.below(4) == 0) delivery.retry.max_age = milliseconds(200 + random.below(3000));
  delivery.breaker.enabled = random.below(2) == 0;
  delivery.breaker.window = 5 + static_cast<std::uint32_t>(random.below(20));
  delivery.breaker.min_results = 3;
  delivery.breaker.failure_rate = 0.2;
  delivery.breaker.open_for = milliseconds(100 + random.below(2000));
  if (random.below(3) == 0) delivery.breaker.on_open = BreakerPolicy::OnOpen::dead_letter;
  if (random.below(5) == 0) delivery.rate_per_second = 50 + static_cast<double>(random.below(500));
  delivery.max_batch = 1 + static_cast<std::uint32_t>(random.below(64));
  delivery.dead_letter = dead_letter;
  delivery.publish_deadline = milliseconds(60'000);
  return delivery;
}

NodeConfig named(NodeKind kind, std::string name) {
  NodeConfig node;
  node.kind = kind;
  node.name = std::move(name);
  node.format = cloudevents_format();
  return node;
}

Plan make_plan(Random& random, bool halting) {
  Plan plan;
  Config& config = plan.config;
  config.batch_events = 4 + static_cast<std::uint32_t>(random.below(60));
  config.drain_deadline = milliseconds(5'000 + random.below(20'000));
  const auto sources = 1 + random.below(3);
  const auto consumers = random.below(3);
  const auto backends = 1 + random.below(3);
  const bool parked = random.below(2) == 0;
  std::ostringstream words;

  std::vector<Input> front;
  for (std::uint64_t i = 0; i < sources; ++i) {
    NodeConfig node = named(NodeKind::source, "s" + std::to_string(i));
    const auto mode = random.below(4);
    node.acknowledge.mode = mode == 0   ? Acknowledge::Mode::any
                            : mode == 1 ? Acknowledge::Mode::nodes
                                        : Acknowledge::Mode::all;
    if (mode == 1) node.acknowledge.nodes = {"b0"};
    if (parked && random.below(2) == 0) node.delivery.dead_letter = "parked";
    front.push_back({node.name, "", {}});
    words << node.name << "(ack " << static_cast<int>(node.acknowledge.mode) << ") ";
    config.nodes.push_back(std::move(node));
    plan.facts.push_back({});
  }
  for (std::uint64_t i = 0; i < consumers; ++i) {
    NodeConfig node = named(NodeKind::consumer, "c" + std::to_string(i));
    node.inputs = front;
    node.when = random_filter(random);
    front = {{node.name, "", {}}};
    words << "-> " << node.name << (node.when ? "(when) " : " ");
    config.nodes.push_back(std::move(node));
    plan.facts.push_back({SLUICE_EMITS, {}, 0});
  }
  for (std::uint64_t i = 0; i < backends; ++i) {
    NodeConfig node = named(NodeKind::backend, "b" + std::to_string(i));
    node.inputs = front;
    node.when = random_filter(random);
    node.delivery = random_delivery(random, parked && random.below(2) == 0 ? "parked" : "", true);
    words << "-> " << node.name << "(full " << static_cast<int>(node.delivery.when_full) << ", dead '"
          << node.delivery.dead_letter << "', queue " << node.delivery.queue.max_events << ") ";
    config.nodes.push_back(std::move(node));
    plan.facts.push_back({});
  }
  if (consumers > 0 && random.below(3) == 0) {
    NodeConfig node = named(NodeKind::backend, "rejects");
    node.inputs = {{"c0", "rejected", {}}};
    node.delivery = random_delivery(random, "", true);
    words << "c0.rejected -> rejects ";
    config.nodes.push_back(std::move(node));
    plan.facts.push_back({});
  }
  if (parked) {
    NodeConfig node = named(NodeKind::backend, "parked");
    node.delivery = random_delivery(random, "", true);
    config.nodes.push_back(std::move(node));
    plan.facts.push_back({});
  }
  if (random.below(2) == 0) {
    NodeConfig node = named(NodeKind::consumer, "watch");
    node.inputs = front;
    node.observer_queue = 4 + random.below(100);
    config.nodes.push_back(std::move(node));
    plan.facts.push_back({SLUICE_OBSERVER, {}, 0});
  }
  if (halting) words << "[halts] ";
  plan.words = words.str();
  return plan;
}

class NoFile final : public UndeliveredSink {
 public:
  void write(std::string_view, std::string_view) noexcept override {}
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool loud)
      : random_(seed), log_(loud), halting_(random_.below(4) == 0), plan_(make_plan(random_, halting_)) {
    Graph graph = build_graph(plan_.config, plan_.facts);
    std::vector<PipelineNode> nodes;
    Temper temper;
    if (random_.below(3) == 0) temper = {0, 0, 0, 0, 0, 300, 15, 60, 0, 0, true};  // a calm day
    if (random_.below(5) == 0) temper.again = 400;
    if (random_.below(6) == 0) temper.away = 300;
    if (random_.below(5) == 0) temper.twice = 40;
    const bool halting = halting_;
    std::uint64_t number = 0;
    for (const GraphNode& node : graph.nodes) {
      PipelineNode made;
      const std::uint64_t node_seed = seed * 1000 + ++number;
      if (node.kind == NodeKind::source) {
        made.source =
            std::make_unique<SimSource>(node.name, node_seed, static_cast<std::uint32_t>(50 + random_.below(400)),
                                        random_.below(2) == 0, random_.below(3) == 0, temper, oracle_);
      } else if (node.observer) {
        made.consumer = std::make_unique<SimObserver>(node_seed);
      } else if (node.kind == NodeKind::consumer) {
        made.consumer = std::make_unique<SimConsumer>(
            node.name, node_seed, true, halting ? 20 + static_cast<std::uint32_t>(random_.below(300)) : 0, oracle_);
      } else {
        made.backend = make_backend(static_cast<NodeIndex>(nodes.size()), node.name, node_seed, temper);
      }
      nodes.push_back(std::move(made));
    }
    swaps_ = std::make_unique<Swaps>(
        seed, graph,
        [this, temper](NodeIndex node, bool able) -> std::unique_ptr<BackendNode> {
          if (able) return make_backend(node, graph_.nodes[node].name, ++swap_seed_, temper);
          backends_.erase(node);
          return std::make_unique<Unable>();
        },
        [this](NodeIndex) { return std::make_unique<SimObserver>(++swap_seed_); });
    graph_ = graph;
    pipeline_ = std::make_unique<Pipeline>(plan_.config, std::move(graph), std::move(nodes),
                                           PipelineWorld{clock_, log_, seed, &undelivered_});
    if (seed / 2 % 2 == 0) pipeline_->pull_ahead(false);
  }

  RunReport run() {
    RunReport report;
    report.graph = plan_.words;
    pipeline_->start();
    const std::vector<Lane*> lanes = pipeline_->lanes();
    const std::uint64_t stop_at = random_.below(3) == 0 ? random_.below(4000) : ~std::uint64_t{0};
    const std::uint64_t calm_at = 3000 + random_.below(3000);
    constexpr std::uint64_t kStepsMax = 400'000;
    while (!pipeline_->finished()) {
      require(++report.steps < kStepsMax, "the run does not end");
      if (report.steps == stop_at) pipeline_->request_stop();
      if (report.steps == calm_at) {
        calm_ = true;
        for (const auto& [node, backend] : backends_) backend->calm();
      }
      calm_ ? swaps_->calm(*pipeline_) : swaps_->step(*pipeline_);
      const auto die = random_.below(lanes.size() + 2);
      if (die < lanes.size()) {
        if (!lanes[die]->finished()) lanes[die]->step(milliseconds(0));
      } else if (die == lanes.size()) {
        (void)pipeline_->control();
      } else {
        clock_.advance(random_.below(random_.below(10) == 0 ? 400'000'000 : 8'000'000));
      }
      check_bounds();
    }
    check_the_end(report);
    report.swaps = swaps_->done();
    return report;
  }

 private:
  std::unique_ptr<BackendNode> make_backend(NodeIndex node, const std::string& name, std::uint64_t seed,
                                            const Temper& temper) {
    auto backend = std::make_unique<SimBackend>(name, seed, temper, oracle_, clock_);
    if (calm_) backend->calm();
    backends_[node] = backend.get();
    return backend;
  }

  void check_bounds() {
    for (Lane* lane : pipeline_->lanes()) {
      const auto* delivery = dynamic_cast<DeliveryLane*>(lane);
      if (delivery == nullptr) continue;
      const auto [events, bytes] = delivery->credit.used();
      // One record may overdraw (arrays), and what consumers derive from one batch may come on top.
      const std::uint64_t slack = 64 * 4 + 2 * plan_.config.batch_events;
      require(events <= delivery->credit.max_events() + slack,
              lane->name() + " holds " + std::to_string(events) + " events, more than its bound");
      require(bytes < (std::uint64_t{1} << 40), lane->name() + " gave back more bytes than were taken");
      require(events < (std::uint64_t{1} << 40), lane->name() + " gave back more events than were taken");
    }
  }

  void check_the_end(RunReport& report) {
    report.halted = !pipeline_->halt_text().empty();
    report.records = oracle_.records().size();
    for (const auto& [backend, events] : oracle_.deliveries()) report.deliveries += events.size();
    for (std::size_t tag = 0; tag < oracle_.records().size(); ++tag) check_record(tag);
    for (Lane* lane : pipeline_->lanes()) {
      if (const auto* delivery = dynamic_cast<DeliveryLane*>(lane)) {
        const auto [events, bytes] = delivery->credit.used();
        require(events == 0 && bytes == 0, lane->name() + " ends with credit that nobody gave back: " +
                                               std::to_string(events) + " events, " + std::to_string(bytes) + " bytes");
      }
    }
    for (NodeIndex i = 0; i < graph_.nodes.size(); ++i) {
      const std::string& name = graph_.nodes[i].name;
      const bool accused = pipeline_->stats(i).breaches.get() > 0;
      const bool guilty = oracle_.is_misbehaving(name);
      require(!accused || guilty, name + " was accused of a breach");
      require(accused || !guilty, name + " completed an event twice, and nobody noticed");
    }
    for (const auto& [backend, events] : oracle_.failures()) {
      const NodeConfig& config = *std::ranges::find(plan_.config.nodes, backend, &NodeConfig::name);
      for (const auto& [id, failures] : events) {
        require(failures <= static_cast<int>(config.delivery.retry.max_attempts),
                "event " + id + " was tried more often at " + backend + " than max_attempts says");
      }
    }
  }

  void check_record(std::size_t tag) {
    const Oracle::Record& record = oracle_.records()[tag];
    require(record.told.size() == 1, "record " + std::to_string(tag) + " of " + record.source + " was never settled");
    const std::uint32_t outcome = record.told.front().outcome;
    if (record.events.empty()) {
      require(outcome == SLUICE_WAS_REJECTED || outcome == SLUICE_NOT_DELIVERED,
              "an undecodable record was settled as " + std::to_string(outcome));
      return;
    }
    const NodeConfig& source = *std::ranges::find(plan_.config.nodes, record.source, &NodeConfig::name);
    if (outcome == SLUICE_WAS_DELIVERED) {
      // Somebody must have it: every event is at one required backend at least, or a consumer dropped it beside others.
      bool any = false;
      for (const std::string& id : record.events) {
        for (const auto& [backend, ids] : oracle_.deliveries()) any = any || ids.contains(id);
      }
      for (const auto& [backend, ids] : oracle_.deliveries()) {
        for (const std::string& id : record.events) {
          for (const char* maker : {"/c0", "/c1"}) any = any || ids.contains(id + maker);
        }
      }
      require(any,
              "record " + std::to_string(tag) + " of " + record.source + " is called delivered, but nobody has it");
      if (source.acknowledge.mode == Acknowledge::Mode::any || !is_plain()) return;
      for (const std::string& id : record.events) {
        for (const NodeIndex lane : pipeline_->graph().reach_of(index_of(record.source))->required) {
          const bool filtered = plan_.config.nodes[graph_.nodes[lane].config].when.has_value();
          require(filtered || oracle_.was_delivered(graph_.nodes[lane].name, id),
                  "event " + id + " is called delivered, but " + graph_.nodes[lane].name + " does not have it");
        }
      }
      return;
    }
    // The worst event of an array speaks for all of it, so only a record of one event says anything about that event.
    if (outcome == SLUICE_WAS_DROPPED && record.events.size() == 1 &&
        source.acknowledge.mode == Acknowledge::Mode::all) {
      for (const std::string& id : record.events) {
        for (const NodeIndex lane : pipeline_->graph().reach_of(index_of(record.source))->required) {
          require(!oracle_.was_delivered(graph_.nodes[lane].name, id),
                  "event " + id + " is called dropped, but " + graph_.nodes[lane].name + " has it");
        }
      }
    }
  }

  /// No consumer stands between sources and backends: what is delivered must be everywhere.
  [[nodiscard]] bool is_plain() const {
    return std::ranges::none_of(plan_.config.nodes,
                                [](const NodeConfig& n) { return n.kind == NodeKind::consumer && n.name[0] == 'c'; });
  }

  [[nodiscard]] NodeIndex index_of(const std::string& name) const {
    for (NodeIndex i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].name == name) return i;
    }
    return 0;
  }

  Random random_;
  ManualClock clock_;
  QuietLog log_;
  bool halting_;
  Plan plan_;
  Oracle oracle_;
  NoFile undelivered_;
  Graph graph_;
  std::map<NodeIndex, SimBackend*> backends_;  // the latest instance of each
  std::unique_ptr<Swaps> swaps_;
  std::uint64_t swap_seed_ = 1'000'000'007;
  bool calm_ = false;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace

RunReport simulate(std::uint64_t seed, bool loud) { return Simulation(seed, loud).run(); }

}  // namespace sluice::sim
