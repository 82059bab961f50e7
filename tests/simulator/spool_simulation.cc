// A spooled backend through crashes: several lives of one host over one disk, from which unsynced bytes vanish.
// Whatever the source heard was delivered must be with the backend, with the dead letters or on the disk, in the end
// delivered; with `ordering: key` no event comes behind a later one of its key, in whichever life.
#include "holding_source.hh"
#include "life.hh"
#include "nodes.hh"
#include "swaps.hh"

#include "core/graph.hh"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace sluice::sim {

namespace {

class SpoolSimulation {
 public:
  SpoolSimulation(std::uint64_t seed, bool loud) : seed_(seed), random_(seed * 31 + 5), log_(loud) {
    const auto count = 30 + random_.below(300);
    for (std::uint64_t i = 0; i < count; ++i) {
      shelf_.items.push_back({"e" + std::to_string(i)});
      shelf_.items.back().key = "k" + std::to_string(i * 7 % 5);
    }
    plan();
    disk_.fault = [this](std::string_view what) {
      // A disk that refuses for ever keeps its segments, and that is right.
      if (calm_ || what == "read" || faults_in_a_row_ >= 2 || !chance(fault_chance_)) {
        faults_in_a_row_ = 0;
        return SpoolFault::none;
      }
      ++faults_in_a_row_;
      return some_fault(random_);
    };
  }

  RunReport run() {
    RunReport report;
    report.graph = words_.str();
    const auto lives = 1 + random_.below(6);
    for (std::uint64_t life = 1; life <= lives; ++life) live(life, life == lives, report);
    report.records = shelf_.items.size();
    for (const auto& [backend, events] : oracle_.deliveries()) report.deliveries += events.size();
    check_the_end();
    return report;
  }

 private:
  bool chance(std::uint64_t per_thousand) { return random_.below(1000) < per_thousand; }

  /// The event's first delivery comes before that of any later one of its key. What was refused, or went on its way to
  /// the dead letters, does not stop its key; a crash before that was noted may bring it back.
  void check_order(const std::string& backend, const std::string& id) {
    if (backend != "b" || oracle_.was_delivered("b", id) || oracle_.was_refused("b", id)) return;
    const auto failures = oracle_.failures().find("b");
    if (parked_ && failures != oracle_.failures().end() && failures->second.contains(id)) return;
    // The same of what grew too old, which nobody but the lane knows of: with both, the order shows nothing.
    if (parked_ && config_.nodes[1].delivery.retry.max_age.count() > 0) return;
    const std::size_t place = std::stoul(id.substr(1));
    for (std::size_t later = place + 1; later < shelf_.items.size(); ++later) {
      if (shelf_.items[later].key != shelf_.items[place].key) continue;
      require(!oracle_.was_delivered("b", shelf_.items[later].id),
              id + " comes behind " + shelf_.items[later].id + ", which has its key");
    }
  }

  void plan() {
    config_.batch_events = 1 + static_cast<std::uint32_t>(random_.below(40));
    config_.drain_deadline = milliseconds(600'000);
    parked_ = random_.below(2) == 0;
    fault_chance_ = random_.below(2) == 0 ? 0 : random_.below(60);
    NodeConfig source;
    source.name = "s";
    source.format = cloudevents_format();
    config_.nodes.push_back(std::move(source));
    NodeConfig backend;
    backend.kind = NodeKind::backend;
    backend.name = "b";
    backend.inputs.push_back({"s", "", {}});
    Delivery& delivery = backend.delivery;
    delivery.when_full = WhenFull::spool;
    delivery.queue.max_events = 1 + random_.below(100);
    delivery.queue.max_bytes = 2000 + random_.below(60'000);
    delivery.retry.max_attempts = 1 + static_cast<std::uint32_t>(random_.below(4));
    delivery.retry.delay = milliseconds(1 + random_.below(300));
    delivery.breaker.enabled = false;
    delivery.max_batch = 1 + static_cast<std::uint32_t>(random_.below(64));
    if (parked_) delivery.dead_letter = "parked";
    SpoolPolicy& spool = delivery.spool;
    spool.path = "memory";
    plan_disk(spool, random_);
    spool.on_full = static_cast<SpoolPolicy::OnFull>(random_.below(parked_ ? 3 : 2));
    ordered_ = spool.on_full == SpoolPolicy::OnFull::block && random_.below(2) == 0;
    if (ordered_) {
      delivery.ordering.by_key = true;
      delivery.ordering.max_held = 1 + random_.below(40);
      if (random_.below(3) == 0) delivery.retry.max_age = milliseconds(1 + random_.below(3000));
      oracle_.on_delivered = [this](const std::string& name, const std::string& id) { check_order(name, id); };
    }
    words_ << (ordered_ ? "in order: " : "") << "s -> b(queue " << delivery.queue.max_events << ", spool "
           << spool.max_bytes << " in segments of " << spool.segment_bytes << ", fsync "
           << static_cast<int>(spool.fsync) << ", full " << static_cast<int>(spool.on_full)
           << (parked_ ? ", dead letters" : "") << ", disk faults " << fault_chance_ << ")";
    config_.nodes.push_back(std::move(backend));
    if (!parked_) return;
    NodeConfig parked;
    parked.kind = NodeKind::backend;
    parked.name = "parked";
    config_.nodes.push_back(std::move(parked));
  }

  /// From a start to a crash, or, the last one, to the end.
  void live(std::uint64_t life, bool last, RunReport& report) {
    std::vector<NodeFacts> facts(config_.nodes.size());
    Graph graph = build_graph(config_, facts);
    std::vector<PipelineNode> nodes;
    std::map<NodeIndex, SimBackend*> backends;  // the latest instance of each
    Temper temper;
    temper.crash = temper.twice = 0;
    if (random_.below(3) == 0) temper.away = 500;
    if (random_.below(3) == 0) temper.rejected = 200;
    for (const GraphNode& node : graph.nodes) {
      PipelineNode made;
      const std::uint64_t node_seed = seed_ * 1000 + life * 10 + nodes.size();
      if (node.kind == NodeKind::source) {
        made.source = std::make_unique<HoldingSource>(shelf_, node_seed);
      } else {
        auto backend = std::make_unique<SimBackend>(node.name, node_seed, temper, oracle_, clock_);
        backends[static_cast<NodeIndex>(nodes.size())] = backend.get();
        made.backend = std::move(backend);
        if (node.name == "b") made.spool = std::make_unique<test::MemorySpool>(disk_);
      }
      nodes.push_back(std::move(made));
    }
    std::uint64_t swap_seed = seed_ * 1000 + life * 10 + 1'000'000'007;
    const std::vector<GraphNode> places = graph.nodes;
    Swaps swaps(
        seed_ * 100 + life, graph,
        [&](NodeIndex node, bool able) -> std::unique_ptr<BackendNode> {
          backends.erase(node);
          if (!able) return std::make_unique<Unable>();
          auto made = std::make_unique<SimBackend>(places[node].name, ++swap_seed, temper, oracle_, clock_);
          if (calm_) made->calm();
          backends[node] = made.get();
          return made;
        },
        Swaps::MakeObserver());
    calm_ = true;  // a disk that refuses at the start refuses the start
    Pipeline pipeline(config_, std::move(graph), std::move(nodes), {clock_, log_, seed_ + life, &nowhere_});
    if (seed_ % 2 == 0) pipeline.pull_ahead(false);
    const auto calm_down = [&] {
      for (const auto& [node, backend] : backends) backend->calm();
    };
    lead(pipeline, {random_, clock_, report, calm_, last}, calm_down, [&] {
      calm_ ? swaps.calm(pipeline) : swaps.step(pipeline);
      require(disk_.bytes() <= config_.nodes[1].delivery.spool.max_bytes + 64 * 1024, "the spool outgrew its bound");
    });
    report.swaps += swaps.done();
    if (last) return;
    // What was on its way may come again twice: from the disk, where it was not confirmed yet, and from its source.
    for (int copies = 0; copies < 2; ++copies) {
      for (Shelf::Item& item : shelf_.items) {
        oracle_.doubtful("b", item.id);
        oracle_.doubtful("parked", item.id + "@b");
      }
    }
    crash(disk_, random_);
  }

  [[nodiscard]] bool is_safe(const std::string& id) const {
    if (oracle_.was_delivered("b", id) || oracle_.was_delivered("parked", id + "@b")) return true;
    return std::ranges::any_of(disk_.rejected, [&](const std::string& lines) {
      return lines.find("\"id\":\"" + id + "\"") != std::string::npos;
    });
  }

  void check_the_end() const {
    for (const Shelf::Item& item : shelf_.items) {
      require(item.settled, item.id + " was never settled");
      require(!item.delivered || is_safe(item.id), item.id + " is called delivered, but nobody has it");
    }
    const bool could = calm_ || fault_chance_ == 0;  // else the disk may have refused to remove them
    require(!could || disk_.segments.empty(), "the spool is empty, and its segments are still there");
    require(disk_.aside.empty(), "a segment was called damaged");
  }

  const std::uint64_t seed_;
  Random random_;
  ManualClock clock_;
  QuietLog log_;
  Config config_;
  Shelf shelf_;
  Oracle oracle_;
  Nowhere nowhere_;
  test::MemoryDisk disk_;
  std::ostringstream words_;
  bool parked_ = false, calm_ = false, ordered_ = false;
  int faults_in_a_row_ = 0;
  std::uint64_t fault_chance_ = 0;  // per thousand calls
};

}  // namespace

RunReport simulate_spool(std::uint64_t seed, bool loud) { return SpoolSimulation(seed, loud).run(); }

}  // namespace sluice::sim
