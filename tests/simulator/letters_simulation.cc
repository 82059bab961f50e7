// simulate_letters [--seeds N] [--from SEED] [--seed SEED] [--loud]
//
// The store of dead letters through crashes: the class and the SQLite file that ship, behind a backend that refuses
// much. A crash comes at any step, also between the store's commit and the word that it is safe. What a source heard
// was rejected must be in the file, and no event may have more letters there than it had lives.
#include "holding_source.hh"
#include "nodes.hh"
#include "simulation.hh"

#include "core/graph.hh"
#include "edge/dead_letter_store.hh"
#include "edge/host_classes.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_metrics.hh"
#include "edge/plugin_node.hh"
#include "run/pipeline.hh"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

namespace sluice::sim {
namespace {

struct Folder {
  Folder() {
    // In memory where that is to be had: each commit waits for its disk.
    std::string name = std::filesystem::exists("/dev/shm") ? "/dev/shm/sluice-sim-XXXXXX" : "/tmp/sluice-sim-XXXXXX";
    require(::mkdtemp(name.data()) != nullptr, "no temporary folder");
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path;
};

class LettersSimulation {
 public:
  LettersSimulation(std::uint64_t seed, bool loud, const std::string& folder, PluginLibrary& library)
      : seed_(seed), random_(seed * 37 + 11), log_(loud), library_(library), path_(folder + "/letters.db") {
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + part);
    const auto count = 20 + random_.below(150);
    for (std::uint64_t i = 0; i < count; ++i) shelf_.items.push_back({"e" + std::to_string(i)});
    plan();
  }

  RunReport run() {
    RunReport report;
    lives_ = 1 + random_.below(6);
    for (std::uint64_t life = 1; life <= lives_; ++life) live(life, life == lives_, report);
    check_the_end(report);
    return report;
  }

 private:
  void plan() {
    config_.batch_events = 1 + static_cast<std::uint32_t>(random_.below(40));
    config_.drain_deadline = milliseconds(600'000);
    NodeConfig source;
    source.name = "s";
    source.format = cloudevents_format();
    config_.nodes.push_back(std::move(source));
    NodeConfig backend;
    backend.kind = NodeKind::backend;
    backend.name = "b";
    backend.inputs.push_back({"s", "", {}});
    Delivery& delivery = backend.delivery;
    delivery.queue.max_events = 1 + random_.below(100);
    delivery.retry.max_attempts = 1 + static_cast<std::uint32_t>(random_.below(3));
    delivery.retry.delay = milliseconds(1 + random_.below(300));
    delivery.breaker.enabled = false;
    delivery.max_batch = 1 + static_cast<std::uint32_t>(random_.below(64));
    delivery.dead_letter = "letters";
    config_.nodes.push_back(std::move(backend));
    NodeConfig letters;
    letters.kind = NodeKind::backend;
    letters.name = "letters";
    letters.delivery.queue.max_events = 1 + random_.below(50);
    config_.nodes.push_back(std::move(letters));
  }

  std::unique_ptr<BackendNode> store() {
    const std::string config = R"({"path":")" + path_ + R"(","max_bytes":1073741824,"max_age":0})";
    CreatedNode made =
        create_node(library_.load(NodeKind::backend, "dead_letter_store"), {"letters", config}, services_);
    require(made.status.ok(), made.status.text);
    return std::move(made.backend);
  }

  void live(std::uint64_t life, bool last, RunReport& report) {
    std::vector<NodeFacts> facts(config_.nodes.size());
    Graph graph = build_graph(config_, facts);
    std::vector<PipelineNode> nodes;
    SimBackend* backend = nullptr;
    Temper temper;
    temper.crash = temper.twice = 0;
    temper.rejected = 300;
    for (const GraphNode& node : graph.nodes) {
      PipelineNode made;
      const std::uint64_t node_seed = seed_ * 1000 + life * 10 + nodes.size();
      if (node.kind == NodeKind::source) {
        made.source = std::make_unique<HoldingSource>(shelf_, node_seed);
      } else if (node.name == "b") {
        auto simulated = std::make_unique<SimBackend>(node.name, node_seed, temper, oracle_, clock_);
        backend = simulated.get();
        made.backend = std::move(simulated);
      } else {
        made.backend = store();
      }
      nodes.push_back(std::move(made));
    }
    Pipeline pipeline(config_, std::move(graph), std::move(nodes), {clock_, log_, seed_ + life, &nowhere_});
    pipeline.start();
    const std::uint64_t crash_at = 50 + random_.below(1200);
    const std::vector<Lane*> lanes = pipeline.lanes();
    for (std::uint64_t step = 0; !pipeline.finished(); ++step) {
      require(++report.steps < 1'000'000, "the run does not end");
      if (!last && step == crash_at) break;
      if (last && step == crash_at) backend->calm();
      const auto die = random_.below(lanes.size() + 2);
      if (die < lanes.size()) {
        if (!lanes[die]->finished()) lanes[die]->step(milliseconds(0));
      } else if (die == lanes.size()) {
        (void)pipeline.control();
      } else {
        clock_.advance(random_.below(random_.below(10) == 0 ? 400'000'000 : 8'000'000));
      }
    }
    for (Shelf::Item& item : shelf_.items) oracle_.doubtful("b", item.id);  // what was on its way may come again
  }

  void check_the_end(RunReport& report) {
    std::map<std::string, std::uint64_t> letters;
    DeadLetterStore store(path_, Sqlite::Mode::read_only);
    store.each({}, [&](const Letter& letter) { return ++letters[letter.id], true; });
    for (const Shelf::Item& item : shelf_.items) {
      require(item.settled, item.id + " was never settled");
      const bool stored = letters.contains(item.id);
      require(stored || oracle_.was_delivered("b", item.id), item.id + " is called done, but nobody has it");
      if (!item.delivered) require(stored, item.id + " was called rejected, but there is no letter of it");
      require(letters[item.id] <= lives_, item.id + " has more letters than it had lives");
    }
    report.records = shelf_.items.size();
    for (const auto& [id, count] : letters) report.deliveries += count;
  }

  const std::uint64_t seed_;
  Random random_;
  ManualClock clock_;
  QuietLog log_;
  PluginMetrics metrics_;
  NodeServices services_{log_, clock_, metrics_};
  PluginLibrary& library_;
  Nowhere nowhere_;
  const std::string path_;
  Config config_;
  Shelf shelf_;
  Oracle oracle_;
  std::uint64_t lives_ = 1;
};

}  // namespace
}  // namespace sluice::sim

int main(int argc, char** argv) {
  using namespace sluice;
  std::uint64_t from = 1, seeds = 200;
  bool loud = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--seeds" && i + 1 < argc)
      seeds = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "--from" && i + 1 < argc)
      from = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "--seed" && i + 1 < argc)
      from = std::strtoull(argv[++i], nullptr, 10), seeds = 1;
    else if (word == "--loud")
      loud = true;
    else
      return std::cerr << "usage: simulate_letters [--seeds N] [--from SEED] | --seed SEED [--loud]\n", 64;
  }
  const sim::Folder folder;
  PluginLibrary library({});
  add_host_classes(library);
  std::uint64_t records = 0, letters = 0;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    try {
      const sim::RunReport report = sim::LettersSimulation(seed, loud, folder.path, library).run();
      records += report.records;
      letters += report.deliveries;
    } catch (const sim::Violation& violation) {
      std::cout << "seed " << seed << ": " << violation.what() << "\nrepeat with: " << argv[0] << " --seed " << seed
                << " --loud\n";
      return 1;
    }
  }
  std::cout << seeds << " runs: " << records << " records, " << letters << " letters; every promise held\n";
  return 0;
}
