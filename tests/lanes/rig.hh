// A pipeline for tests: nodes in memory, a clock set by hand, no threads and no sleeps.
//
//   Rig rig;
//   auto& in = rig.source("in");
//   auto& out = rig.backend("out", {"in"});
//   rig.build();
//   in.offer("a");
//   rig.step();
#pragma once

#include "memory_spool.hh"

#include "run/pipeline.hh"

#include <sluice/module.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now_; }
  [[nodiscard]] std::int64_t unix_ns() const noexcept override {
    return 1'767'225'600'000'000'000 + static_cast<std::int64_t>(now_);
  }
  void advance(std::chrono::milliseconds by) { now_ += static_cast<std::uint64_t>(by.count()) * 1'000'000; }

 private:
  std::uint64_t now_ = 1'000'000'000;
};

/// Keeps what was said, as "sentence key=value …".
class KeptLog final : public Log {
 public:
  std::vector<std::string> lines;
  [[nodiscard]] bool enabled(Level) const noexcept override { return true; }
  void write(Level, std::string_view sentence, std::span<const Field> fields) noexcept override;
  [[nodiscard]] std::size_t count(std::string_view words) const;
  [[nodiscard]] bool says(std::string_view words) const { return count(words) > 0; }
};

/// An event with that id and type; data is JSON text.
[[nodiscard]] std::string event_json(const std::string& id, const std::string& type = "t.plain",
                                     const std::string& data = R"({"n":1})");

struct Told {
  std::uint64_t tag = 0;
  Outcome outcome = Outcome::dropped;
  std::int32_t code = 0;
  std::string reason;
};

class FakeSource final : public SourceNode {
 public:
  std::vector<Told> told;
  bool order = false, forgetful = false;
  bool stopped = false;
  std::uint32_t per_pull = 256;

  /// One record holding one event; tags count from 1.
  std::uint64_t offer(const std::string& id, const std::string& type = "t.plain") {
    return offer_text(event_json(id, type));
  }
  std::uint64_t offer_text(std::string text);
  void end() { ended_ = true; }
  [[nodiscard]] const Told& of(std::uint64_t tag) const;
  [[nodiscard]] bool heard(std::uint64_t tag) const;
  [[nodiscard]] std::size_t waiting() const { return records_.size(); }

  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return stopped = true, Status{}; }
  [[nodiscard]] sluice_status pull(sluice_writer& out, std::string& error) override;
  void settle(std::span<const sluice_settlement> settlements) override;
  [[nodiscard]] bool in_order() const noexcept override { return order; }
  [[nodiscard]] bool cannot_hold() const noexcept override { return forgetful; }

 private:
  std::deque<std::pair<std::uint64_t, std::string>> records_;
  std::uint64_t next_tag_ = 1;
  bool ended_ = false;
};

/// Takes what it is offered (or a prefix, or says it is away) and waits to be told how each event ended.
class FakeBackend final : public BackendNode {
 public:
  struct Taken {
    std::uint64_t ticket = 0;
    std::string id;
    std::string json;
  };
  std::vector<Taken> taken;        // everything that was ever taken
  std::uint32_t room = 1'000'000;  // events it still takes
  bool away = false, fail = false;
  bool answers_at_once = false;  // delivered inside publish()
  Status start_with;
  std::uint32_t publishes = 0, flushes = 0;
  NodeEvents* events = nullptr;

  [[nodiscard]] std::vector<std::string> ids() const;
  void complete(const std::string& id, sluice_status status = SLUICE_OK, const std::string& reason = "",
                std::uint32_t retry_after_ms = 0, std::int32_t code = 0);
  void complete_all(sluice_status status = SLUICE_OK, const std::string& reason = "");

  void attach(NodeEvents* e) noexcept override { events = e; }
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return start_with; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override;
  [[nodiscard]] sluice_status publish(const sluice_batch& batch, std::uint32_t& count, std::string& error) override;
  void flush() override { ++flushes; }

 private:
  std::vector<bool> done_;  // beside taken
};

/// Judges with a function; passes everything without one.
class FakeConsumer final : public ConsumerNode {
 public:
  std::function<sluice_status(const sluice_batch&, std::uint8_t*, sluice_writer*, std::string&)> judge;
  std::function<std::uint32_t(std::uint64_t, sluice_writer*)> timer;  // none: it does not tick
  std::vector<std::string> seen;
  std::vector<std::string> wants;  // patterns of types; none: every type
  bool emitting = false;
  Status start_with;
  NodeEvents* events = nullptr;

  void attach(NodeEvents* e) noexcept override { events = e; }
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return start_with; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] sluice_status process(const sluice_batch& in, std::uint8_t* verdict, sluice_writer* out,
                                      std::string& error) override;
  [[nodiscard]] bool ticks() const noexcept override { return timer != nullptr; }
  [[nodiscard]] std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out) override { return timer(now_ns, out); }
  [[nodiscard]] bool wants_settled() const noexcept override { return false; }
  void settled(std::span<const std::uint64_t>, std::span<const std::uint8_t>) override {}
  [[nodiscard]] bool emits() const noexcept override { return emitting; }
  [[nodiscard]] std::vector<std::string> wanted_types() override { return wants; }
};

/// A key store that outlives its pipeline when the test keeps `keys`, as a file or a server does.
class FakeKeyStore final : public KeyStoreNode {
 public:
  struct Key {
    KeyHash key;
    std::int64_t unix_ms = 0;
  };
  struct World {  // what is outside this process
    std::vector<Key> keys;
    bool away = false;
    bool shared = false;
    std::uint32_t lookups = 0, records = 0;
    std::vector<AskedKey> claims;
    [[nodiscard]] bool has(const KeyHash& key) const;
  };
  explicit FakeKeyStore(World& world) : world_(world) {}

  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return answer(); }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool shared() const noexcept override { return world_.shared; }
  void load(const std::function<void(const KeyHash&, std::int64_t)>& take) override;
  [[nodiscard]] Status lookup(std::span<const KeyHash> keys, std::uint8_t* present) override;
  [[nodiscard]] Status record(std::span<const KeyHash> keys, std::int64_t unix_ms) override;
  [[nodiscard]] Status claim(std::span<const AskedKey> keys, std::uint8_t* taken) override;
  [[nodiscard]] Status release(std::span<const AskedKey> keys) override;
  bool tidy(std::int64_t) override { return false; }

 private:
  [[nodiscard]] Status answer() const { return world_.away ? Status{SLUICE_AWAY, "no route"} : Status{}; }
  World& world_;
};

class KeptUndelivered final : public UndeliveredSink {
 public:
  std::vector<std::string> events;
  void write(std::string_view json, std::string_view) noexcept override { events.emplace_back(json); }
};

class Rig {
 public:
  ManualClock clock;
  KeptLog log;
  KeptUndelivered undelivered;
  Config config;

  Rig() { config.batch_events = 16; }
  FakeSource& source(const std::string& name, Acknowledge acknowledge = {});
  FakeBackend& backend(const std::string& name, const std::vector<std::string>& inputs, Delivery delivery = fast());
  /// The same with a spool on that disk, which outlives the rig: a new rig over it is the next run.
  FakeBackend& spooled(const std::string& name, const std::vector<std::string>& inputs, MemoryDisk& disk,
                       Delivery delivery = fast_spool());
  FakeConsumer& consumer(const std::string& name, const std::vector<std::string>& inputs,
                         std::uint32_t flags = SLUICE_EMITS, std::vector<std::string> ports = {});
  /// An observer whose queue is on that disk, which outlives the rig.
  FakeConsumer& durable(const std::string& name, const std::vector<std::string>& inputs, MemoryDisk& disk,
                        SpoolPolicy::OnFull on_full = SpoolPolicy::OnFull::drop_newest);
  /// Gives the source `dedup` with a store outside this process.
  void key_store(const std::string& source, FakeKeyStore::World& world);
  /// What the node's class promises or asks for.
  void flags(const std::string& name, std::uint32_t flags);
  /// The configured node, to change before build().
  NodeConfig& node(const std::string& name);
  void build();

  /// Every lane and the stop machine, a few rounds: until nothing moves any more.
  void step(int rounds = 6);
  void advance(std::chrono::milliseconds by) {
    clock.advance(by);
    step();
  }
  /// request_stop and step until finished; the clock is moved as far as it takes.
  void stop();
  Pipeline& pipeline() { return *pipeline_; }
  [[nodiscard]] const NodeStats& stats(const std::string& name);

  /// Retries after exactly 100 ms, no jitter, no breaker: what a test can foresee.
  static Delivery fast();
  /// The same with a spool that syncs every batch.
  static Delivery fast_spool();

 private:
  NodeConfig& add(NodeKind kind, const std::string& name, const std::vector<std::string>& inputs);
  std::vector<PipelineNode> nodes_;
  std::vector<NodeFacts> facts_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace sluice::test
