// An observer lane: one thread that shows events to one observer. Its queue is lossy: what does not fit is counted and
// dropped at the door, so that an observer never delays delivery. No source is told how its events ended. A durable
// queue (run/spool_lane.hh) stands in front of it, and is told what the observer has seen.
#pragma once

#include "core/node_health.hh"
#include "core/type_table.hh"
#include "core/under_way.hh"
#include "run/lane.hh"
#include "run/node_swap.hh"

#include <deque>
#include <mutex>
#include <vector>

namespace sluice {

class ObserverLane final : public DeliveryLane, public NodeEvents, public NodeHealth {
 public:
  ObserverLane(std::string name, ConsumerNode& node, LaneWorld world, NodeStats& stats, QueueBounds bounds);

  void set_started(bool started) noexcept { started_ = started; }
  /// Of its durable queue. Before the first step.
  void set_under_way(UnderWay* under_way) noexcept { under_way_ = under_way; }
  void push(Run&& run) override;
  void step(std::chrono::milliseconds max_rest) override;
  [[nodiscard]] bool finished() const noexcept override { return finished_.load(std::memory_order_acquire); }
  [[nodiscard]] bool idle() const noexcept override { return credit.used().first == 0; }
  void request_finish() noexcept;
  /// Another instance, between two steps. Any thread; see NodeSwap.
  void request_swap(std::shared_ptr<NodeSwap> swap) noexcept {
    swap_door_.ask(std::move(swap));
    Lane::wake();
  }

  // NodeEvents
  void wake() noexcept override { Lane::wake(); }
  void complete(std::uint64_t, std::uint32_t, const sluice_result*) noexcept override { stats_.breaches.add_shared(); }
  void complete_each(std::uint64_t, std::uint32_t, const std::uint8_t*) noexcept override {
    stats_.breaches.add_shared();
  }
  void explain(std::uint32_t, std::string_view) noexcept override { stats_.breaches.add_shared(); }
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now(); }

  // NodeHealth
  void report(sluice_status status, std::string_view reason) noexcept override;

 private:
  static constexpr std::uint64_t kAgainNs = 200'000'000;  // until it is shown again what it did not take
  [[nodiscard]] bool accept(Run& run);
  void take_in(Run&& run);
  bool show(Run& run, bool finishing);
  static void tell(const Run& run, Outcome outcome, std::string_view reason);
  void try_start(std::uint64_t now_ns);
  void set_running() noexcept;

  // observer_swap.cc
  void swap_round(std::uint64_t now_ns);
  void change_node(NodeSwap& swap, std::uint64_t now_ns);

  ConsumerNode* observer_;  // never null, as node_
  std::mutex inbox_mutex_;
  std::vector<Run> inbox_;
  bool closed_ = false;  // guarded by the mutex
  std::deque<Run> queue_;
  UnderWay* under_way_ = nullptr;
  bool started_ = false;
  bool broken_ = false;
  bool unusable_ = false;  // the instance did not start, and is waited out until there is another
  std::uint32_t away_failures_ = 0;
  std::uint64_t away_until_ns_ = 0;
  std::uint64_t next_tick_ns_ = 0;
  std::uint64_t again_ns_ = 0;      // the front of the queue was not taken: when it is shown again
  std::shared_ptr<NodeSwap> swap_;  // while it is set nothing is shown
  SwapDoor swap_door_;
  std::atomic<bool> far_side_away_{false};  // as the node reports it
  std::atomic<bool> finish_{false}, finished_{false};
};

}  // namespace sluice
