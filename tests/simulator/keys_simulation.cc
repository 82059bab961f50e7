#include "keys_simulation.hh"

#include "keys_world.hh"
#include "nodes.hh"
#include "swaps.hh"

#include "core/graph.hh"
#include "run/pipeline.hh"

#include <sluice/module.h>

#include <cstring>
#include <sstream>

namespace sluice::sim {

namespace {

/// A node that only exists; what it does is below.
template <class Kind>
class PlainNode : public Kind {
 public:
  void attach(NodeEvents* events) noexcept override { events_ = events; }
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }

 protected:
  NodeEvents* events_ = nullptr;
};

class KeyedSource final : public PlainNode<SourceNode> {
 public:
  KeyedSource(KeysWorld& world, std::uint64_t seed, bool in_order)
      : world_(world), random_(seed), in_order_(in_order) {}
  [[nodiscard]] sluice_status pull(sluice_writer& out, std::string&) override {
    for (auto want = random_.below(12); want > 0 && out.count < out.cap; --want) {
      const auto tag = world_.next();
      if (!tag) break;
      const KeysWorld::Record& record = world_.record(*tag);
      const std::string text = R"({"specversion":"1.0","id":")" + record.id + R"(","source":"/s","type":"t.a",)" +
                               R"("partitionkey":")" + record.key + "\"}";
      std::memcpy(out.bytes + out.bytes_len, text.data(), text.size());
      sluice_record* to = SLUICE_RECORD(&out, out.count++);
      to->ptr = out.bytes + out.bytes_len;
      to->len = text.size();
      to->tag = *tag;
      out.bytes_len += text.size();
    }
    return SLUICE_AGAIN;
  }
  void settle(std::span<const sluice_settlement> settlements) override {
    for (const sluice_settlement& settlement : settlements) world_.settled(settlement.tag, settlement.outcome);
  }
  [[nodiscard]] bool in_order() const noexcept override { return in_order_; }
  [[nodiscard]] bool cannot_hold() const noexcept override { return false; }

 private:
  KeysWorld& world_;
  Random random_;
  const bool in_order_;
};

/// Completes in any order, or, when its class promises to keep order, in order and, of what it had taken when one
/// failed, with nothing delivered behind it.
class KeyedBackend final : public PlainNode<BackendNode> {
 public:
  KeyedBackend(KeysWorld& world, const KeysPlan& plan, std::size_t index, std::uint64_t seed, const bool& calm)
      : world_(world), plan_(plan), index_(index), random_(seed), calm_(calm) {}
  [[nodiscard]] sluice_status publish(const sluice_batch& batch, std::uint32_t& taken, std::string& error) override {
    if (!calm_ && random_.below(100) < 3) return error = "refused", SLUICE_AWAY;
    taken = random_.below(3) == 0 ? static_cast<std::uint32_t>(random_.below(batch.count + 1)) : batch.count;
    for (std::uint32_t i = 0; i < taken; ++i) {
      std::string id = id_of(*SLUICE_EVENT(&batch, i));
      world_.handed_over(id);
      pending_.push_back({batch.ticket + i, std::move(id)});
    }
    return SLUICE_OK;
  }
  void flush() override {}
  [[nodiscard]] bool polls() const noexcept override { return true; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override {
    for (auto want = random_.below(6); want > 0 && !pending_.empty(); --want) {
      const std::size_t at = plan_.keeps_order ? 0 : static_cast<std::size_t>(random_.below(pending_.size()));
      const bool doomed = doomed_ > 0;
      if (doomed) --doomed_;
      const bool failed = !finish(at, doomed ? SLUICE_CANCELLED : SLUICE_OK);
      if (failed && !doomed && plan_.keeps_order) doomed_ = pending_.size();
    }
    return true;
  }
  Status stop(std::chrono::milliseconds) override {
    while (!pending_.empty()) (void)finish(0, SLUICE_CANCELLED);
    return {};
  }

 private:
  struct Pending {
    std::uint64_t ticket;
    std::string id;
  };
  bool finish(std::size_t at, sluice_status forced) {
    const Pending pending = pending_[at];
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(at));
    sluice_result result{};
    result.size = sizeof result;
    result.status = forced;
    const auto die = random_.below(100);
    if (forced == SLUICE_OK && !calm_ && die < 20) {
      static constexpr sluice_status kFailures[] = {SLUICE_AGAIN, SLUICE_AGAIN, SLUICE_AWAY, SLUICE_TIMEOUT};
      result.status = kFailures[random_.below(4)];
      if (result.status == SLUICE_TIMEOUT && random_.below(2) == 0) world_.delivered(index_, pending.id);
    }
    if (result.status == SLUICE_OK) world_.delivered(index_, pending.id);
    events_->complete(pending.ticket, 1, result.status == SLUICE_OK ? nullptr : &result);
    return result.status == SLUICE_OK;
  }

  KeysWorld& world_;
  const KeysPlan plan_;
  const std::size_t index_;
  Random random_;
  const bool& calm_;
  std::vector<Pending> pending_;
  std::size_t doomed_ = 0;  // at the front of them
};

class SimKeyStore final : public PlainNode<KeyStoreNode> {
 public:
  SimKeyStore(KeysWorld& world, bool shared, std::uint64_t seed, const bool& calm)
      : world_(world), shared_(shared), random_(seed), calm_(calm) {}
  [[nodiscard]] bool shared() const noexcept override { return shared_; }
  void load(const std::function<void(const KeyHash&, std::int64_t)>& take) override {
    if (shared_) return;
    for (const auto& [key, at_ms] : world_.keys) take(key, at_ms);
  }
  [[nodiscard]] Status lookup(std::span<const KeyHash> keys, std::uint8_t* present) override {
    if (away()) return {SLUICE_AWAY, "no route"};
    for (std::size_t i = 0; i < keys.size(); ++i) present[i] = world_.has_key(keys[i]) ? 1 : 0;
    return {};
  }
  [[nodiscard]] Status record(std::span<const KeyHash> keys, std::int64_t at_ms) override {
    if (away()) return {SLUICE_AWAY, "no route"};
    for (const KeyHash& key : keys) world_.add_key(key, at_ms);
    return {};
  }
  bool tidy(std::int64_t) override { return false; }

 private:
  [[nodiscard]] bool away() { return !calm_ && random_.below(5) == 0; }
  KeysWorld& world_;
  const bool shared_;
  Random random_;
  const bool& calm_;
};

class NoFile final : public UndeliveredSink {
 public:
  void write(std::string_view, std::string_view) noexcept override {}
};

class KeysSimulation {
 public:
  KeysSimulation(std::uint64_t seed, bool loud)
      : seed_(seed), random_(seed ^ 0x6b657973), log_(loud), plan_(make_plan(random_)), world_(plan_, random_) {
    make_config();
  }

  RunReport run() {
    RunReport report;
    begin();
    const std::uint64_t calm_at = 3000 + random_.below(6000);
    while (!pipeline_->finished()) {
      require(++report.steps < 400'000, "the run does not end");
      if (report.steps == calm_at) calm_ = true;
      if (!calm_ && random_.below(800) == 0) begin();  // a crash: nothing of the process is left
      if (calm_ && world_.all_settled()) pipeline_->request_stop();
      calm_ ? swaps_->calm(*pipeline_) : swaps_->step(*pipeline_);
      const std::vector<Lane*> lanes = pipeline_->lanes();
      const auto die = random_.below(lanes.size() + 2);
      if (die < lanes.size()) {
        if (!lanes[die]->finished()) lanes[die]->step(milliseconds(0));
      } else if (die == lanes.size()) {
        (void)pipeline_->control();
      } else {
        clock_.advance(random_.below(random_.below(10) == 0 ? 800'000'000 : 20'000'000));
      }
    }
    require(world_.all_settled(), "a record was never settled");
    report.graph = words();
    report.records = plan_.records;
    report.deliveries = world_.deliveries();
    report.swaps = replaced_ + swaps_->done();
    return report;
  }

 private:
  static KeysPlan make_plan(Random& random) {
    KeysPlan plan;
    plan.ordering = random.below(2) == 0;
    plan.keeps_order = plan.ordering && random.below(3) == 0;
    plan.dedup = !plan.ordering || random.below(2) == 0;
    plan.stored = random.below(4) != 0;
    plan.shared = plan.stored && random.below(2) == 0;
    plan.backends = 1 + static_cast<std::uint32_t>(random.below(2));
    plan.records = 50 + static_cast<std::uint32_t>(random.below(250));
    if (!plan.ordering) plan.max_attempts = 1 + static_cast<std::uint32_t>(random.below(4));
    return plan;
  }

  void make_config() {
    config_.batch_events = 4 + static_cast<std::uint32_t>(random_.below(60));
    NodeConfig source;
    source.name = "s";
    source.format = cloudevents_format();
    if (plan_.dedup) source.dedup.emplace();
    config_.nodes.push_back(source);
    facts_.push_back({});
    in_order_ = random_.below(2) == 0;
    for (std::uint32_t i = 0; i < plan_.backends; ++i) {
      NodeConfig backend;
      backend.kind = NodeKind::backend;
      backend.name = "b" + std::to_string(i);
      backend.format = cloudevents_format();
      backend.inputs = {{"s", "", {}}};
      Delivery& delivery = backend.delivery;
      delivery.queue.max_events = 20 + random_.below(200);
      delivery.retry.max_attempts = plan_.max_attempts;
      delivery.retry.delay = milliseconds(1 + random_.below(200));
      delivery.retry.max_delay = milliseconds(500);
      delivery.breaker.enabled = false;
      delivery.max_batch = 1 + static_cast<std::uint32_t>(random_.below(64));
      delivery.ordering.by_key = plan_.ordering;
      delivery.ordering.max_held = 1 + random_.below(40);
      config_.nodes.push_back(std::move(backend));
      facts_.push_back({plan_.keeps_order ? std::uint32_t{SLUICE_KEEPS_ORDER} : 0, {}, 0});
    }
  }

  /// A process starts; the one before, if any, is gone without a word.
  void begin() {
    pipeline_.reset();
    if (swaps_ != nullptr) replaced_ += swaps_->done();
    ++lives_;
    world_.restart();
    Graph graph = build_graph(config_, facts_);
    std::vector<PipelineNode> nodes;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      PipelineNode node;
      const std::uint64_t seed = (seed_ * 1000 + lives_) * 10 + i;
      if (graph.nodes[i].kind == NodeKind::source) {
        node.source = std::make_unique<KeyedSource>(world_, seed, in_order_);
        if (plan_.dedup && plan_.stored) {
          node.key_store = std::make_unique<SimKeyStore>(world_, plan_.shared, seed + 5, calm_);
        }
      } else {
        node.backend = std::make_unique<KeyedBackend>(world_, plan_, i - 1, seed, calm_);
      }
      nodes.push_back(std::move(node));
    }
    swaps_ = std::make_unique<Swaps>(
        seed_ * 100 + lives_, graph,
        [this](NodeIndex node, bool able) -> std::unique_ptr<BackendNode> {
          if (!able) return std::make_unique<Unable>();
          return std::make_unique<KeyedBackend>(world_, plan_, node - 1, ++swap_seed_, calm_);
        },
        Swaps::MakeObserver());
    pipeline_ = std::make_unique<Pipeline>(config_, std::move(graph), std::move(nodes),
                                           PipelineWorld{clock_, log_, seed_ + lives_, &undelivered_});
    pipeline_->start();
  }

  [[nodiscard]] std::string words() const {
    std::ostringstream words;
    words << "keys: dedup " << plan_.dedup << " stored " << plan_.stored << " shared " << plan_.shared << " ordering "
          << plan_.ordering << " keeps order " << plan_.keeps_order << " backends " << plan_.backends << " attempts "
          << plan_.max_attempts << " lives " << lives_;
    return words.str();
  }

  const std::uint64_t seed_;
  Random random_;
  ManualClock clock_;
  QuietLog log_;
  NoFile undelivered_;
  KeysPlan plan_;
  KeysWorld world_;
  Config config_;
  std::vector<NodeFacts> facts_;
  bool in_order_ = false;
  bool calm_ = false;
  std::uint64_t lives_ = 0;
  std::uint64_t swap_seed_ = 1'000'000'007;
  std::uint64_t replaced_ = 0;
  std::unique_ptr<Swaps> swaps_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace

RunReport simulate_keys(std::uint64_t seed, bool loud) { return KeysSimulation(seed, loud).run(); }

}  // namespace sluice::sim
