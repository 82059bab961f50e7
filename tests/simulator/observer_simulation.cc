// Observers with durable queues through crashes: several lives of one host over their disks, from which unsynced bytes
// vanish. Whatever a source was told is settled must have been shown to every observer that asked for such events, but
// for what a full queue dropped and counted; and what is called delivered must be delivered, whatever observers do.
#include "holding_source.hh"
#include "life.hh"
#include "nodes.hh"

#include "core/graph.hh"

#include <sluice/module.h>

#include <algorithm>
#include <deque>
#include <set>
#include <sstream>

namespace sluice::sim {

namespace {

/// What an observer knows over all lives: it keeps what it was shown, as a journal does.
struct Memory {
  std::string name;
  std::set<std::string> seen;
  test::MemoryDisk disk;
  std::uint64_t dropped = 0;  // by a full queue, counted by the host
};

class KeepingObserver final : public ConsumerNode {
 public:
  KeepingObserver(Memory& memory, std::uint64_t seed, std::uint64_t away, std::uint64_t fails)
      : memory_(memory), random_(seed), away_(away), fails_(fails) {}
  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override {
    if (random_.below(1000) < away_) return {SLUICE_AWAY, "not there yet"};
    return {};
  }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] sluice_status process(const sluice_batch& in, std::uint8_t*, sluice_writer*, std::string&) override {
    if (random_.below(1000) < fails_) return SLUICE_FAILED;
    for (std::uint32_t i = 0; i < in.count; ++i) memory_.seen.insert(id_of(*SLUICE_EVENT(&in, i)));
    return SLUICE_OK;
  }
  [[nodiscard]] bool ticks() const noexcept override { return false; }
  [[nodiscard]] std::uint32_t tick(std::uint64_t, sluice_writer*) override { return 0; }
  [[nodiscard]] bool wants_settled() const noexcept override { return false; }
  void settled(std::span<const std::uint64_t>, std::span<const std::uint8_t>) override {}
  [[nodiscard]] bool emits() const noexcept override { return false; }
  void calm() noexcept { away_ = 0; }

 private:
  Memory& memory_;
  Random random_;
  std::uint64_t away_, fails_;  // per thousand
};

class ObserverSimulation {
 public:
  ObserverSimulation(std::uint64_t seed, bool loud) : seed_(seed), random_(seed * 37 + 11), log_(loud) {
    shelves_.resize(1 + random_.below(2));
    const char* const types[] = {"t.a", "t.b", "t.c"};
    for (std::size_t s = 0; s < shelves_.size(); ++s) {
      const auto count = 20 + random_.below(200);
      for (std::uint64_t i = 0; i < count; ++i) {
        shelves_[s].items.push_back({"e" + std::to_string(s) + "-" + std::to_string(i), types[random_.below(3)]});
      }
    }
    for (std::uint64_t left = 1 + random_.below(2); left > 0; --left) memories_.emplace_back();
    plan();
    for (Shelf& shelf : shelves_) shelf.comes_again = [this](const std::string& id) { excuse(id); };
  }

  RunReport run() {
    RunReport report;
    report.graph = words_.str();
    const auto lives = 1 + random_.below(6);
    for (std::uint64_t life = 1; life <= lives; ++life) live(life, life == lives, report);
    for (const Shelf& shelf : shelves_) report.records += shelf.items.size();
    for (const auto& [backend, events] : oracle_.deliveries()) report.deliveries += events.size();
    for (const Memory& memory : memories_) check_observer(memory);
    for (std::size_t s = 0; s < shelves_.size(); ++s) check_source(s);
    return report;
  }

 private:
  NodeConfig& add(NodeKind kind, std::string name) {
    NodeConfig node;
    node.kind = kind;
    node.name = std::move(name);
    node.format = cloudevents_format();
    if (kind != NodeKind::source) {
      for (std::size_t s = 0; s < shelves_.size(); ++s) node.inputs.push_back({"s" + std::to_string(s), "", {}});
    }
    config_.nodes.push_back(std::move(node));
    facts_.push_back({});
    return config_.nodes.back();
  }

  void plan() {
    config_.batch_events = 1 + static_cast<std::uint32_t>(random_.below(40));
    config_.drain_deadline = milliseconds(600'000);
    fault_chance_ = random_.below(2) == 0 ? 0 : random_.below(60);
    for (std::size_t s = 0; s < shelves_.size(); ++s) {
      NodeConfig& source = add(NodeKind::source, "s" + std::to_string(s));
      source.acknowledge.mode = static_cast<Acknowledge::Mode>(random_.below(3));
      if (source.acknowledge.mode == Acknowledge::Mode::nodes) source.acknowledge.nodes = {"b0"};
      words_ << source.name << "(ack " << static_cast<int>(source.acknowledge.mode) << ") ";
    }
    const auto backends = 1 + random_.below(2);
    for (std::uint64_t i = 0; i < backends; ++i) {
      Delivery& delivery = add(NodeKind::backend, "b" + std::to_string(i)).delivery;
      delivery.queue.max_events = 8 + random_.below(100);
      delivery.retry.max_attempts = 1 + static_cast<std::uint32_t>(random_.below(4));
      delivery.retry.delay = milliseconds(1 + random_.below(300));
      delivery.breaker.enabled = false;
    }
    for (std::size_t i = 0; i < memories_.size(); ++i) plan_observer(memories_[i], i);
    if (random_.below(2) == 0) {
      add(NodeKind::consumer, "lossy").observer_queue = 4 + random_.below(100);
      facts_.back().flags = SLUICE_OBSERVER;
    }
  }

  void plan_observer(Memory& memory, std::size_t number) {
    memory.name = "o" + std::to_string(number);
    NodeConfig& node = add(NodeKind::consumer, memory.name);
    facts_.back().flags = SLUICE_OBSERVER;
    node.queue_kind = ObserverQueue::durable;
    node.observer_queue = 1 + random_.below(100);
    std::string why;
    if (random_.below(2) == 0) node.when = Filter::parse(R"({"not":{"exact":{"type":"t.b"}}})", why);
    SpoolPolicy& spool = node.delivery.spool;
    spool.path = memory.name;
    plan_disk(spool, random_);
    spool.on_full = random_.below(3) == 0 ? SpoolPolicy::OnFull::drop_newest : SpoolPolicy::OnFull::block;
    words_ << "-> " << memory.name << (node.when ? "(when, " : "(") << "queue " << node.observer_queue << ", disk "
           << spool.max_bytes << ", full " << static_cast<int>(spool.on_full) << ", disk faults " << fault_chance_
           << ") ";
    memory.disk.fault = [this](std::string_view what) {
      if (calm_ || what == "read" || random_.below(1000) >= fault_chance_) return SpoolFault::none;
      return some_fault(random_);
    };
  }

  [[nodiscard]] std::vector<PipelineNode> nodes_of(const Graph& graph, std::uint64_t life, bool last) {
    std::vector<PipelineNode> nodes;
    backends_.clear();
    observers_.clear();
    Temper temper;
    temper.crash = temper.twice = 0;
    const std::uint64_t away = random_.below(3) == 0 ? 900 : 100;
    const std::uint64_t fails = last || random_.below(3) != 0 ? 0 : 50;
    for (const GraphNode& node : graph.nodes) {
      PipelineNode made;
      const std::uint64_t node_seed = seed_ * 1000 + life * 10 + nodes.size();
      if (node.kind == NodeKind::source) {
        made.source = std::make_unique<HoldingSource>(shelves_[nodes.size()], node_seed);
      } else if (node.kind == NodeKind::backend) {
        auto backend = std::make_unique<SimBackend>(node.name, node_seed, temper, oracle_, clock_);
        backends_.push_back(backend.get());
        made.backend = std::move(backend);
      } else if (node.name == "lossy") {
        made.consumer = std::make_unique<SimObserver>(node_seed);
      } else {
        Memory& memory = *std::ranges::find(memories_, node.name, &Memory::name);
        auto observer = std::make_unique<KeepingObserver>(memory, node_seed, away, fails);
        observers_.push_back(observer.get());
        made.consumer = std::move(observer);
        made.spool = std::make_unique<test::MemorySpool>(memory.disk);
      }
      nodes.push_back(std::move(made));
    }
    return nodes;
  }

  /// From a start to a crash, or, the last one, to the end.
  void live(std::uint64_t life, bool last, RunReport& report) {
    Graph graph = build_graph(config_, facts_);
    std::vector<PipelineNode> nodes = nodes_of(graph, life, last);
    calm_ = true;  // a disk that refuses at the start refuses the start
    Pipeline pipeline(config_, std::move(graph), std::move(nodes), {clock_, log_, seed_ + life, &nowhere_});
    if (seed_ % 2 == 0) pipeline.pull_ahead(false);
    const auto calm_down = [this] {
      for (SimBackend* backend : backends_) backend->calm();
      for (KeepingObserver* observer : observers_) observer->calm();
    };
    lead(pipeline, {random_, clock_, report, calm_, last}, calm_down, [] {});
    for (NodeIndex i = 0; i < config_.nodes.size(); ++i) {
      require(oracle_.is_misbehaving(config_.nodes[i].name) || pipeline.stats(i).breaches.get() == 0,
              config_.nodes[i].name + " was accused of a breach");
      const auto memory = std::ranges::find(memories_, config_.nodes[i].name, &Memory::name);
      if (memory != memories_.end()) memory->dropped += pipeline.stats(i).dropped_full.get();
    }
    if (last) return;
    for (const Shelf& shelf : shelves_) {
      for (const Shelf::Item& item : shelf.items) excuse(item.id);
    }
    for (Memory& memory : memories_) crash(memory.disk, random_);
  }

  /// It may come twice to every backend.
  void excuse(const std::string& id) {
    for (const NodeConfig& node : config_.nodes) oracle_.doubtful(node.name, id);
  }

  /// The observer failed on it in three lives, one after the other.
  [[nodiscard]] static bool is_set_aside(const Memory& memory, const std::string& id) {
    return std::ranges::any_of(memory.disk.rejected, [&](const std::string& lines) {
      return lines.find("\"id\":\"" + id + "\"") != std::string::npos &&
             lines.find("3 times in a row") != std::string::npos;
    });
  }

  void check_observer(const Memory& memory) const {
    const NodeConfig& node = *std::ranges::find(config_.nodes, memory.name, &NodeConfig::name);
    std::uint64_t missing = 0;
    std::string first;
    for (const Shelf& shelf : shelves_) {
      for (const Shelf::Item& item : shelf.items) {
        const bool wanted = !node.when || item.type != "t.b";
        const bool seen = memory.seen.contains(item.id);
        require(wanted || !seen, item.id + " was shown to " + memory.name + ", which did not ask for it");
        if (!wanted || seen || !item.settled || is_set_aside(memory, item.id)) continue;
        if (missing++ == 0) first = item.id;
      }
    }
    require(missing <= memory.dropped, first + " is settled, but " + memory.name + " was never shown it, nor " +
                                           std::to_string(missing - 1) + " others, and dropped " +
                                           std::to_string(memory.dropped));
    require(memory.disk.aside.empty(), "a segment of " + memory.name + " was called damaged");
  }

  void check_source(std::size_t number) const {
    const Acknowledge& acknowledge = config_.nodes[number].acknowledge;
    for (const Shelf::Item& item : shelves_[number].items) {
      require(item.settled, item.id + " was never settled");
      if (!item.delivered) continue;
      bool any = false, all = true;
      for (const NodeConfig& node : config_.nodes) {
        if (node.kind != NodeKind::backend) continue;
        if (acknowledge.mode == Acknowledge::Mode::nodes && node.name != "b0") continue;
        const bool has = oracle_.was_delivered(node.name, item.id);
        any = any || has;
        all = all && has;
      }
      require(acknowledge.mode == Acknowledge::Mode::any ? any : all,
              item.id + " is called delivered, but it is not where it must be");
    }
  }

  const std::uint64_t seed_;
  Random random_;
  ManualClock clock_;
  QuietLog log_;
  Config config_;
  std::vector<NodeFacts> facts_;
  std::vector<Shelf> shelves_;
  std::deque<Memory> memories_;  // they stay where they are
  std::vector<SimBackend*> backends_;
  std::vector<KeepingObserver*> observers_;
  Oracle oracle_;
  Nowhere nowhere_;
  std::ostringstream words_;
  bool calm_ = false;
  std::uint64_t fault_chance_ = 0;  // per thousand calls
};

}  // namespace

RunReport simulate_observers(std::uint64_t seed, bool loud) { return ObserverSimulation(seed, loud).run(); }

}  // namespace sluice::sim
