// Another instance for a running lane: how a reload asks, and how the lane answers. The lane's queue, spool, held
// events and key order are the lane's and stay; what changes is who it offers them to.
//
//   asked ──what is under way is answered, or kSwapWait is over; the old one is stopped and destroyed──▶ started ·
//   failed
//         started · failed ──go──▶ the lane offers again      (another swap may come before that: the way back)
//
// The new instance is created beside the old one, which costs nothing (create() does no I/O), and started when the old
// one is gone: two of them never hold the same file, port or consumer name at once. Between the answer and `go` the
// lane offers nothing, so a reload that fails at another node has published nothing by the new configuration.
#pragma once

#include "core/config.hh"
#include "core/ports.hh"
#include "core/wanted_types.hh"
#include "run/credit_pool.hh"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace sluice {

/// Written by who asks before it is handed over; by the lane alone until `step` is no longer `asked`.
struct NodeSwap {
  enum class Step : std::uint8_t { asked, started, failed };

  std::unique_ptr<BackendNode> backend;    // the new instance, of a backend's lane; null: only `delivery` changes
  std::unique_ptr<ConsumerNode> observer;  // the same of an observer's
  bool way_back = false;                   // the old configuration again: there is nothing to go back to

  // Set by Pipeline::swap(): where the instance is owned, who is woken by an answer, what the instance asks for.
  std::unique_ptr<BackendNode>* backend_seat = nullptr;
  std::unique_ptr<ConsumerNode>* observer_seat = nullptr;
  Wakeable* asker = nullptr;
  WantedTypes wanted;  // what the new observer can use

  // The lane's answer.
  std::uint64_t under_way = 0;   // events that the old instance had when it was asked
  std::uint64_t taken_back = 0;  // of them: not answered in time, offered to the new one
  bool away = false;             // the new one's far side is: it is tried again, as at the start of the host
  std::string text;              // why it failed, or is away
  std::atomic<Step> step{Step::asked};

  // Both written by who asked, after the lane's answer; `go` last.
  std::optional<Delivery> delivery;  // applied with `go`
  std::atomic<bool> go{false};

  void answer(Step what) noexcept {
    step.store(what, std::memory_order_release);
    if (asker != nullptr) asker->wake();
  }
  [[nodiscard]] bool answered() const noexcept { return step.load(std::memory_order_acquire) != Step::asked; }
};

/// How a swap comes to a lane. Costs a lane that nobody asks one load in a step.
class SwapDoor {
 public:
  /// Any thread.
  void ask(std::shared_ptr<NodeSwap> swap) noexcept {
    const std::lock_guard lock(mutex_);
    next_ = std::move(swap);
    asked_.store(true, std::memory_order_release);
  }
  [[nodiscard]] bool asked() const noexcept { return asked_.load(std::memory_order_acquire); }
  /// The lane.
  [[nodiscard]] std::shared_ptr<NodeSwap> take() noexcept {
    const std::lock_guard lock(mutex_);
    asked_.store(false, std::memory_order_relaxed);
    return std::move(next_);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<NodeSwap> next_;
  std::atomic<bool> asked_{false};
};

}  // namespace sluice
