// Sources, consumers and backends that behave as badly as the contract allows, by a seeded die.
#pragma once

#include "world.hh"

#include "core/backoff.hh"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace sluice::sim {

/// How wild one run is. Probabilities are per thousand.
struct Temper {
  std::uint32_t again = 60, rejected = 20, away = 15, timeout = 10, cancelled = 10;
  std::uint32_t complete_inside = 400;
  std::uint32_t undecodable = 15, arrays = 60;
  std::uint32_t crash = 1;  // per 20,000: a backend answers FAILED and is broken from then on
  std::uint32_t twice = 0;  // per 20,000: a backend completes an event a second time, which breaks the contract
  bool partial = true;
};

class SimSource final : public SourceNode {
 public:
  SimSource(std::string name, std::uint64_t seed, std::uint32_t events, bool in_order, bool cannot_hold, Temper temper,
            Oracle& oracle)
      : name_(std::move(name)),
        random_(seed),
        left_(events),
        in_order_(in_order),
        cannot_hold_(cannot_hold),
        temper_(temper),
        oracle_(oracle) {}

  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override {
    stopped_ = true;
    return {};
  }
  [[nodiscard]] sluice_status pull(sluice_writer& out, std::string& error) override;
  void settle(std::span<const sluice_settlement> settlements) override;
  [[nodiscard]] bool in_order() const noexcept override { return in_order_; }
  [[nodiscard]] bool cannot_hold() const noexcept override { return cannot_hold_; }

 private:
  std::string event_json(const std::string& id);
  std::string name_;
  Random random_;
  std::uint32_t left_;
  const bool in_order_, cannot_hold_;
  Temper temper_;
  Oracle& oracle_;
  std::uint32_t made_ = 0;
  std::uint64_t last_tag_ = 0;
  bool any_settled_ = false;
  bool stopped_ = false;
};

class SimBackend final : public BackendNode {
 public:
  SimBackend(std::string name, std::uint64_t seed, Temper temper, Oracle& oracle, const Clock& clock)
      : name_(std::move(name)), random_(seed), temper_(temper), oracle_(oracle), clock_(clock) {}

  void attach(NodeEvents* events) noexcept override { events_ = events; }
  [[nodiscard]] Status start(std::chrono::milliseconds) override {
    if (random_.below(1000) < temper_.away) return {SLUICE_AWAY, "not there yet"};
    return {};
  }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override;
  [[nodiscard]] bool polls() const noexcept override { return true; }
  Status stop(std::chrono::milliseconds) override;
  [[nodiscard]] sluice_status publish(const sluice_batch& batch, std::uint32_t& taken, std::string& error) override;
  void flush() override {}
  /// From now on everything goes well: the run must come to an end.
  void calm() noexcept { temper_ = {0, 0, 0, 0, 0, 500, 0, 0, 0, 0, true}; }

 private:
  struct Pending {
    std::uint64_t ticket;
    const sluice_event* event;  // the host's memory: must still be what it was
    std::string id;
    std::uint64_t due_ns;
  };
  void finish(const Pending& pending);
  std::string name_;
  Random random_;
  Temper temper_;
  Oracle& oracle_;
  const Clock& clock_;
  NodeEvents* events_ = nullptr;
  std::deque<Pending> pending_;
  std::uint64_t next_ticket_ = 0;
  bool broken_ = false;
};

/// An inline consumer: passes, drops, rejects, derives, and perhaps halts.
class SimConsumer final : public ConsumerNode {
 public:
  SimConsumer(std::string name, std::uint64_t seed, bool emits, std::uint32_t halt_after, Oracle& oracle)
      : name_(std::move(name)), random_(seed), emits_(emits), halt_after_(halt_after), oracle_(oracle) {}
  void attach(NodeEvents* events) noexcept override { events_ = events; }
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] sluice_status process(const sluice_batch& in, std::uint8_t* verdict, sluice_writer* out,
                                      std::string& error) override;
  [[nodiscard]] bool ticks() const noexcept override { return false; }
  [[nodiscard]] std::uint32_t tick(std::uint64_t, sluice_writer*) override { return 0; }
  [[nodiscard]] bool wants_settled() const noexcept override { return false; }
  void settled(std::span<const std::uint64_t>, std::span<const std::uint8_t>) override {}
  [[nodiscard]] bool emits() const noexcept override { return emits_; }

 private:
  std::string name_;
  Random random_;
  const bool emits_;
  const std::uint32_t halt_after_;  // 0 = never
  Oracle& oracle_;
  NodeEvents* events_ = nullptr;
  std::uint32_t seen_ = 0;
  bool halted_ = false;
  std::vector<std::string> made_;
};

class SimObserver final : public ConsumerNode {
 public:
  explicit SimObserver(std::uint64_t seed) : random_(seed) {}
  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] sluice_status process(const sluice_batch&, std::uint8_t*, sluice_writer*, std::string&) override {
    return random_.below(500) == 0 ? SLUICE_FAILED : SLUICE_OK;
  }
  [[nodiscard]] bool ticks() const noexcept override { return false; }
  [[nodiscard]] std::uint32_t tick(std::uint64_t, sluice_writer*) override { return 0; }
  [[nodiscard]] bool wants_settled() const noexcept override { return false; }
  void settled(std::span<const std::uint64_t>, std::span<const std::uint8_t>) override {}
  [[nodiscard]] bool emits() const noexcept override { return false; }

 private:
  Random random_;
};

/// The id at the front of an event's text, as a backend reads it.
[[nodiscard]] std::string id_of(const sluice_event& event);

}  // namespace sluice::sim
