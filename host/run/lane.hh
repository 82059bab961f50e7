// A lane is one thread and the state it owns. It is an object with step(): its thread is a short loop around that, so
// tests step lanes by hand with a manual clock, no threads and no sleeps.
#pragma once

#include "core/config.hh"
#include "core/ports.hh"
#include "core/stats.hh"
#include "run/batch_run.hh"
#include "run/credit_pool.hh"
#include "run/waker.hh"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

namespace sluice {

/// The world as a lane sees it.
struct LaneWorld {
  const Clock& clock;
  Log& log;
  std::uint64_t seed = 0;  // of the lane's random numbers
};

inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

/// Lanes count in nanoseconds of their clock; configurations in milliseconds.
[[nodiscard]] inline std::uint64_t as_ns(std::chrono::milliseconds ms) {
  return static_cast<std::uint64_t>(ms.count()) * 1'000'000;
}

class Lane : public Wakeable {
 public:
  Lane(std::string name, Node& node, LaneWorld world, NodeStats& stats)
      : name_(std::move(name)), node_(&node), world_(world), stats_(stats) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// One round: does what can be done now, then rests at most `max_rest` (0 in tests that step by hand).
  virtual void step(std::chrono::milliseconds max_rest) = 0;
  [[nodiscard]] virtual bool finished() const noexcept = 0;
  /// Nothing is under way here: what was taken in has been answered.
  [[nodiscard]] virtual bool idle() const noexcept = 0;

  void wake() noexcept override { waker_.wake(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] virtual std::string thread_name() const { return name_; }
  [[nodiscard]] const NodeStats& stats() const noexcept { return stats_; }
  [[nodiscard]] Node& node() noexcept { return *node_; }

 protected:
  [[nodiscard]] std::uint64_t now() const noexcept { return world_.clock.now_ns(); }

  /// The lane's only wait: the node's poll, or the host's own sleep. `until_ns`: when there is something to do again.
  Status rest(std::uint64_t now_ns, std::uint64_t until_ns, std::chrono::milliseconds max_rest, std::uint32_t room) {
    Status status;
    std::chrono::milliseconds wait{0};
    if (until_ns > now_ns) {
      const std::uint64_t ms = (until_ns - now_ns + 999'999) / 1'000'000;
      wait = std::chrono::milliseconds(static_cast<std::int64_t>(std::min<std::uint64_t>(ms, 60'000)));
    }
    wait = std::min(wait, max_rest);
    if (wait.count() > 0 && !waker_.prepare_sleep()) wait = std::chrono::milliseconds(0);
    if (node_->polls()) {
      (void)node_->poll(waker_.fd(), wait, room, status);
    } else if (wait.count() > 0) {
      pollfd wake_only{waker_.fd(), POLLIN, 0};
      (void)::poll(&wake_only, 1, static_cast<int>(wait.count()));
    }
    waker_.slept();
    return status;
  }

  /// The host's own sleep, while the node is not to be asked: until somebody wakes the lane.
  void rest_alone(std::chrono::milliseconds max_rest) {
    if (max_rest.count() > 0 && waker_.prepare_sleep()) {
      pollfd wake_only{waker_.fd(), POLLIN, 0};
      (void)::poll(&wake_only, 1, static_cast<int>(std::min<std::int64_t>(max_rest.count(), 1000)));
    }
    waker_.slept();
  }

  void set_state(NodeState state) noexcept { stats_.state.store(state, std::memory_order_relaxed); }
  void say(Level level, std::string_view sentence, std::initializer_list<Field> more = {}) {
    if (!world_.log.enabled(level)) return;
    std::vector<Field> fields{{"node", name_, false}};
    fields.insert(fields.end(), more.begin(), more.end());
    world_.log.write(level, sentence, fields);
  }

  std::string name_;
  Node* node_;  // never null; a reload puts another in its place (run/node_swap.hh)
  LaneWorld world_;
  NodeStats& stats_;
  Waker waker_;
};

/// A lane that events are pushed to.
class DeliveryLane : public Lane {
 public:
  DeliveryLane(std::string name, Node& node, LaneWorld world, NodeStats& stats, QueueBounds bounds)
      : Lane(std::move(name), node, world, stats), credit(bounds.max_events, bounds.max_bytes) {}

  CreditPool credit;
  /// Requires credit for the run. Never blocks and never fails. Any thread.
  virtual void push(Run&& run) = 0;
};

}  // namespace sluice
