// simulate_night PLUGINS EXAMPLES [--seeds N] [--from SEED] [--seed SEED] [--loud]
//
// An eight-hour night in virtual time: flapping runs, a storm, a receiver that is away for an hour, two kills, an
// orderly restart and a reload with a changed configuration, at random moments. The lanes, the durable queue, the alert
// engine and its journal are those that ship, the rules and templates those of the shipped examples (Slack's in the odd
// nights, email's in the even ones), read and taken by the code that ships; what is written by hand here is the loop
// around them (the courier's, which has a thread and the machine's clock). night_morning.hh says what must hold.
#include "journal.hh"
#include "night_config.hh"
#include "night_morning.hh"
#include "night_world.hh"
#include "nodes.hh"

#include "core/graph.hh"
#include "run/pipeline.hh"
#include "support/memory_spool.hh"

#include <sluice/module.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>

namespace sluice::sim {

namespace {

constexpr std::int64_t kNightMs = 8 * kHourMs;

class NightSource final : public SourceNode {
 public:
  NightSource(std::vector<NightEvent>& events, const Clock& clock, std::int64_t begin_ms)
      : events_(events), clock_(clock), begin_ms_(begin_ms) {
    for (NightEvent& event : events_) event.offered = false;
  }
  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] sluice_status pull(sluice_writer& out, std::string&) override {
    const std::int64_t now_ms = clock_.unix_ns() / 1'000'000 - begin_ms_;
    while (first_ < events_.size() && events_[first_].settled) ++first_;
    for (std::size_t i = first_; i < events_.size() && events_[i].due_ms <= now_ms && out.count < out.cap; ++i) {
      NightEvent& event = events_[i];
      if (event.offered || event.settled) continue;
      const std::string text = event.json();
      if (out.bytes_len + text.size() > out.bytes_cap) break;
      std::memcpy(out.bytes + out.bytes_len, text.data(), text.size());
      sluice_record* record = SLUICE_RECORD(&out, out.count++);
      record->ptr = out.bytes + out.bytes_len;
      record->len = text.size();
      record->tag = i;
      out.bytes_len += text.size();
      event.offered = true;
    }
    return SLUICE_OK;
  }
  void settle(std::span<const sluice_settlement> settlements) override {
    for (const sluice_settlement& one : settlements) {
      NightEvent& event = events_.at(one.tag);
      require(!event.settled, event.id + " was settled twice");
      event.settled = one.outcome != SLUICE_NOT_DELIVERED;
      event.offered = event.settled;
    }
    first_ = 0;
  }
  [[nodiscard]] bool in_order() const noexcept override { return false; }
  [[nodiscard]] bool cannot_hold() const noexcept override { return false; }

 private:
  std::vector<NightEvent>& events_;
  const Clock& clock_;
  const std::int64_t begin_ms_;
  std::size_t first_ = 0;  // all before it are settled
};

/// An alerting node in virtual time: what its process() picks is in the journal when it returns.
class NightAlerts final : public ConsumerNode {
 public:
  NightAlerts(const std::string& state, std::unique_ptr<NightRules> rules, const Clock& clock, std::int64_t begin_ms,
              NightReceiver& receiver, std::uint64_t life, std::uint64_t seed)
      : clock_(clock),
        begin_ms_(begin_ms),
        receiver_(receiver),
        life_(life),
        random_(seed),
        rules_(std::move(rules)),
        groups_(rules_->settings),
        journal_(state) {
    journal_.open(groups_);
  }
  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override {
    groups_.hurry();
    answer_ms_ = now_ms();  // the courier waits for it
    for (int tries = 0; tries < 100; ++tries) send(now_ms(), 0);
    return {};
  }
  [[nodiscard]] sluice_status process(const sluice_batch& in, std::uint8_t*, sluice_writer*, std::string&) override {
    std::vector<alerting::Occurrence> fired;
    for (const EventView event : BatchView(in)) rules_->rules.match(event, fired);
    for (alerting::Occurrence& what : fired) groups_.take(now_ms(), std::move(what));
    keep();
    return SLUICE_OK;
  }
  [[nodiscard]] bool ticks() const noexcept override { return false; }
  [[nodiscard]] std::uint32_t tick(std::uint64_t, sluice_writer*) override { return 0; }
  [[nodiscard]] bool wants_settled() const noexcept override { return false; }
  void settled(std::span<const std::uint64_t>, std::span<const std::uint8_t>) override {}
  [[nodiscard]] bool emits() const noexcept override { return false; }

  /// One round of the courier: an answer that came, or the next message on its way for up to `latency_ms`.
  void send(std::int64_t now_ms, std::uint64_t latency_ms) {
    if (!under_way_) {
      under_way_ = groups_.next(now_ms);
      keep();
      if (!under_way_) return;
      taken_ = receiver_.answers(now_ms - begin_ms_);
      if (taken_)
        receiver_.take(now_ms - begin_ms_, life_, *under_way_);  // before the answer: a kill in between is a repeat
      answer_ms_ = now_ms + static_cast<std::int64_t>(latency_ms == 0 ? 0 : random_.below(latency_ms));
    }
    if (now_ms < answer_ms_) return;
    if (taken_) {
      groups_.sent(now_ms, *under_way_, {});
    } else {
      groups_.failed(now_ms, *under_way_, random_.below(3) == 0 ? 30'000 : 0);
    }
    under_way_.reset();
    keep();
  }
  [[nodiscard]] bool is_calm() const { return groups_.firing() == 0 && !groups_.has_news() && !under_way_; }

 private:
  [[nodiscard]] std::int64_t now_ms() const { return clock_.unix_ns() / 1'000'000; }
  void keep() { journal_.append(groups_.take_log(), groups_); }

  const Clock& clock_;
  const std::int64_t begin_ms_;
  NightReceiver& receiver_;
  const std::uint64_t life_;
  Random random_;
  const std::unique_ptr<NightRules> rules_;
  alerting::Groups groups_;
  alerting::Journal journal_;
  std::optional<alerting::Message> under_way_;
  bool taken_ = false;
  std::int64_t answer_ms_ = 0;
};

class NoUndelivered final : public UndeliveredSink {
 public:
  void write(std::string_view, std::string_view) noexcept override {}
};

class Night {
 public:
  Night(std::uint64_t seed, bool loud, const std::string& folder, const NightConfig& example)
      : seed_(seed),
        example_(example),
        random_(seed * 41 + 3),
        log_(loud),
        state_(folder + "/alerts.state"),
        begin_ms_(clock_.unix_ns() / 1'000'000),
        events_(NightEvents(random_, kNightMs).events),
        receiver_(away_from(), away_from_ + kHourMs),
        latency_ms_(random_.below(2) == 0 ? 1 : 3000) {
    NodeConfig source, backend, alerts;
    source.name = "in";
    backend.kind = NodeKind::backend;
    backend.name = "out";
    backend.delivery.breaker.enabled = false;
    backend.delivery.retry.max_attempts = 1000;
    alerts.kind = NodeKind::consumer;
    alerts.name = "alerts";
    alerts.queue_kind = ObserverQueue::durable;
    alerts.delivery.spool.path = "memory";
    alerts.delivery.spool.segment_bytes = 64 * 1024;
    source.format = backend.format = alerts.format = cloudevents_format();
    backend.inputs = alerts.inputs = {{"in", "", {}}};
    config_.nodes = {source, backend, alerts};
  }

  std::string run() {
    std::vector<std::int64_t> ends;
    std::vector<End> how{End::kill, End::kill, End::restart, End::reload};
    for (std::size_t i = 0; i < how.size(); ++i) {
      ends.push_back(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(kNightMs))));
      std::swap(how[i], how[random_.below(i + 1)]);
    }
    std::sort(ends.begin(), ends.end());
    for (std::size_t i = 0; i < ends.size(); ++i) live(ends[i], how[i]);
    live(kNightMs + kHourMs, End::restart);
    require(calm_, "in the morning something still fires, or was not told");
    for (const NightEvent& event : events_) require(event.settled, event.id + " was never settled");
    const std::unique_ptr<NightRules> rules = rules_now();
    Morning(receiver_.taken(), rules->settings, 2, 5).check(promised_by(example_.node, events_), kNightMs);
    return std::to_string(events_.size()) + " events, " + std::to_string(receiver_.taken().size()) + " messages";
  }

 private:
  enum class End : std::uint8_t { kill, restart, reload };

  [[nodiscard]] std::unique_ptr<NightRules> rules_now() {
    return std::make_unique<NightRules>(example_.node, reloaded_ ? example_.after : example_.before,
                                        NodeServices{log_, clock_, metrics_});
  }
  std::int64_t away_from() {
    return away_from_ = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(kNightMs - kHourMs)));
  }
  [[nodiscard]] std::int64_t now_ms() const { return clock_.unix_ns() / 1'000'000 - begin_ms_; }

  /// From a start to `until_ms`, and then a kill, or an orderly end; after a reload by another configuration.
  void live(std::int64_t until_ms, End end) {
    ++lives_;
    Graph graph = build_graph(config_, {{}, {}, {SLUICE_OBSERVER, {}, 0}});
    Temper temper;
    temper.crash = temper.twice = 0;
    temper.rejected = 0;
    std::vector<PipelineNode> nodes(3);
    nodes[0].source = std::make_unique<NightSource>(events_, clock_, begin_ms_);
    nodes[1].backend = std::make_unique<SimBackend>("out", seed_ * 10 + lives_, temper, oracle_, clock_);
    auto made =
        std::make_unique<NightAlerts>(state_, rules_now(), clock_, begin_ms_, receiver_, lives_, seed_ * 10 + lives_);
    NightAlerts& alerts = *made;
    nodes[2].consumer = std::move(made);
    nodes[2].spool = std::make_unique<test::MemorySpool>(disk_);
    Pipeline pipeline(config_, std::move(graph), std::move(nodes), {clock_, log_, seed_ + lives_, &nowhere_});
    pipeline.start();
    while (now_ms() < until_ms) step(pipeline, alerts);
    if (end != End::kill) {
      calm_ = alerts.is_calm();
      pipeline.request_stop();
      for (int i = 0; i < 100'000 && !pipeline.finished(); ++i) step(pipeline, alerts);
      require(pipeline.finished(), "the run does not end");
      reloaded_ = reloaded_ || end == End::reload;
    } else {  // what was written stays, sometimes without what was not synced
      disk_.crash(
          [this](std::size_t unsynced) { return random_.below(2) == 0 ? unsynced : random_.below(unsynced + 1); },
          random_.below(2) == 0);
    }
    for (const NightEvent& event : events_) oracle_.doubtful("out", event.id);
  }

  void step(Pipeline& pipeline, NightAlerts& alerts) {
    const std::vector<Lane*> lanes = pipeline.lanes();
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      Lane* lane = lanes[random_.below(lanes.size())];
      if (!lane->finished()) lane->step(milliseconds(0));
    }
    (void)pipeline.control();
    alerts.send(clock_.unix_ns() / 1'000'000, latency_ms_);
    clock_.advance(random_.below(1'000'000'000));
  }

  const std::uint64_t seed_;
  const NightConfig& example_;
  Random random_;
  ManualClock clock_;
  QuietLog log_;
  const std::string state_;
  const std::int64_t begin_ms_;
  std::vector<NightEvent> events_;
  std::int64_t away_from_ = 0;
  NightReceiver receiver_;
  const std::uint64_t latency_ms_;
  PluginMetrics metrics_;
  bool reloaded_ = false;
  Config config_;
  Oracle oracle_;
  NoUndelivered nowhere_;
  test::MemoryDisk disk_;
  std::uint64_t lives_ = 0;
  bool calm_ = false;
};

/// A folder for the journal, gone with it.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/sluice-night-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw Violation("no folder can be made in /tmp");
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

}  // namespace

}  // namespace sluice::sim

int main(int argc, char** argv) {
  std::uint64_t from = 1, seeds = 20;
  bool loud = false, one = false;
  std::vector<std::string> where;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--loud")
      loud = true;
    else if (i + 1 < argc && word == "--seeds")
      seeds = std::strtoull(argv[++i], nullptr, 10);
    else if (i + 1 < argc && word == "--from")
      from = std::strtoull(argv[++i], nullptr, 10);
    else if (i + 1 < argc && word == "--seed")
      from = std::strtoull(argv[++i], nullptr, 10), seeds = 1, one = true;
    else
      where.push_back(word);
  }
  if (where.size() != 2) {
    std::cerr << "usage: simulate_night PLUGINS EXAMPLES [--seeds N] [--from SEED] | --seed SEED [--loud]\n";
    return 64;
  }
  std::uint64_t seed = from;
  try {
    const sluice::PluginLibrary catalog({where[0]});
    const sluice::sim::Folder scratch;
    const sluice::sim::NightConfig examples[] = {sluice::sim::night_config(where[1], "email", catalog, scratch.path),
                                                 sluice::sim::night_config(where[1], "slack", catalog, scratch.path)};
    for (; seed < from + seeds; ++seed) {
      const sluice::sim::Folder folder;
      const std::string figures = sluice::sim::Night(seed, loud, folder.path, examples[seed % 2]).run();
      if (one) std::cout << figures << '\n';
    }
  } catch (const std::exception& violation) {
    std::cout << "seed " << seed << ": " << violation.what() << "\nrepeat with: " << argv[0] << " --seed " << seed
              << " --loud\n";
    return 1;
  }
  std::cout << seeds << " nights; every promise held\n";
  return 0;
}
