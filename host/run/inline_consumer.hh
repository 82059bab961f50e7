// An inline consumer as the source lanes call it: one call per batch, verdicts and derived events out.
//
// Threads: called on source lanes. When several sources reach it and its class is not REENTRANT, calls take turns on a
// mutex (once per batch).
#pragma once

#include "core/config.hh"
#include "core/decode.hh"
#include "core/graph.hh"
#include "core/ports.hh"
#include "core/stats.hh"
#include "run/credit_pool.hh"
#include "run/lane.hh"

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace sluice {

/// How many events a consumer may add to a batch of so many.
constexpr std::uint32_t derived_max(std::uint64_t batch) noexcept {
  const std::uint64_t shares = (batch + limits::kBatchEvents - 1) / limits::kBatchEvents;
  return limits::kDerivedPerCall * static_cast<std::uint32_t>(shares > 0 ? shares : 1);
}

/// An event that a consumer made, already decoded into the block.
struct Derived {
  std::uint32_t event = 0;   // index into Block::events
  std::uint32_t parent = 0;  // index into the batch, or SLUICE_NO_PARENT
  std::uint32_t port = 0;
  bool replaces = false;
};

/// What one call said. Reused between calls.
struct Judgement {
  std::vector<std::uint8_t> verdicts;
  std::vector<std::pair<std::uint32_t, std::string>> reasons;  // by index, in the order of explain()
  std::vector<Derived> derived;
  bool all_pass = true;  // every verdict is 0
  bool halted = false;
  std::string halt_text;

  [[nodiscard]] std::string_view reason_of(std::uint32_t index) const noexcept;
};

class InlineConsumer final : public NodeEvents {
 public:
  InlineConsumer(std::string name, ConsumerNode& node, LaneWorld world, NodeStats& stats, bool shared,
                 EventLimits limits);

  /// Requires: block holds the batch; derived events are decoded into it.
  void process(std::span<const sluice_event> batch, Block& block, Judgement& out);
  /// Calls the node's timer when it is due. Returns when to come again (kNever: after the next batch).
  [[nodiscard]] std::uint64_t tick(std::uint64_t now_ns, Block* block, Judgement& out);
  [[nodiscard]] bool ticks() const noexcept { return node_.ticks(); }
  [[nodiscard]] bool emits() const noexcept { return node_.emits(); }
  [[nodiscard]] ConsumerNode& node() noexcept { return node_; }
  [[nodiscard]] NodeStats& stats() noexcept { return stats_; }
  /// Adds to one of its counters: a plain add while only one source lane comes here.
  void count(Counter& counter) const noexcept {
    if (shared_) {
      counter.add_shared();
    } else {
      counter.add();
    }
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  void settled(std::span<const std::uint64_t> seq, std::span<const std::uint8_t> outcome);
  /// It said something that the contract does not allow: named, counted and stopped.
  void break_contract(const std::string& what);
  /// Whom wake() wakes: the source lane that ticks this consumer.
  void set_waker(Wakeable* lane) noexcept { waker_ = lane; }

  // What the node may say.
  void wake() noexcept override {
    if (waker_ != nullptr) waker_->wake();
  }
  void complete(std::uint64_t, std::uint32_t, const sluice_result*) noexcept override { stats_.breaches.add_shared(); }
  void complete_each(std::uint64_t, std::uint32_t, const std::uint8_t*) noexcept override {
    stats_.breaches.add_shared();
  }
  void explain(std::uint32_t index, std::string_view reason) noexcept override;
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return world_.clock.now_ns(); }

 private:
  struct Out;
  void decode_derived(sluice_writer& writer, std::span<const sluice_event> batch, Block& block, Judgement& out);
  [[nodiscard]] static sluice_record with_cause(const sluice_record& record, const sluice_event& cause, Block& block);

  std::string name_;
  ConsumerNode& node_;
  LaneWorld world_;
  NodeStats& stats_;
  const bool shared_;
  std::mutex turn_;
  Decoder decoder_;
  std::uint64_t made_ = 0;        // derived events so far
  Judgement* judging_ = nullptr;  // during process()
  std::vector<sluice_record> records_;
  std::uint64_t next_tick_ns_ = 0;
  bool broken_ = false;
  Wakeable* waker_ = nullptr;
};

}  // namespace sluice
