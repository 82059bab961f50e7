// The ear of a node under test: counts completions by ticket and keeps the first broken promise.
#pragma once

#include "core/ports.hh"
#include "edge/plugin_check/guarded_batch.hh"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace sluice::check {

class Auditor final : public NodeEvents {
 public:
  Auditor() : wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Auditor() override { close(wake_fd_); }

  /// The batch whose tickets are offered now; it stays known until the end.
  void offer(GuardedBatch* batch) {
    const std::lock_guard lock(mutex_);
    batches_.emplace(batch->view().ticket, batch);
    done_.resize(batch->view().ticket - kFirstTicket + batch->size(), false);
    offered_end_ = batch->view().ticket + batch->size();
  }
  /// publish() has returned: the tickets below `end` are taken, those above are not.
  void took_until(std::uint64_t end) {
    const std::lock_guard lock(mutex_);
    taken_end_ = end;
    if (highest_ >= end)
      fault("ticket " + std::to_string(highest_) + " was completed, but publish() had not taken that event");
  }
  [[nodiscard]] std::uint64_t open() const {
    const std::lock_guard lock(mutex_);
    return taken_end_ - kFirstTicket - completed_;
  }
  [[nodiscard]] std::string first_fault() const {
    const std::lock_guard lock(mutex_);
    return fault_;
  }
  [[nodiscard]] int wake_fd() const noexcept { return wake_fd_; }
  void drain_wakes() noexcept {
    std::uint64_t ignored = 0;
    while (read(wake_fd_, &ignored, sizeof ignored) > 0) {
    }
  }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    (void)!write(wake_fd_, &one, sizeof one);
  }
  void complete(std::uint64_t ticket, std::uint32_t count, const sluice_result*) noexcept override {
    const std::lock_guard lock(mutex_);
    for (std::uint32_t i = 0; i < count && fault_.empty(); ++i) complete_one(ticket + i);
  }
  void complete_each(std::uint64_t ticket, std::uint32_t count, const std::uint8_t* status) noexcept override {
    const std::lock_guard lock(mutex_);
    for (std::uint32_t i = 0; i < count && fault_.empty(); ++i) {
      if (status[i] > SLUICE_AWAY)
        fault("complete_each() gave ticket " + std::to_string(ticket + i) + " an unknown status");
      complete_one(ticket + i);
    }
  }
  void explain(std::uint32_t index, std::string_view) noexcept override {
    const std::lock_guard lock(mutex_);
    if (index >= explainable_)
      fault("explain() named event " + std::to_string(index) + " of " + std::to_string(explainable_));
  }
  std::uint64_t now_ns() const noexcept override {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  /// Events in the batch that process() is looking at; 0 outside.
  void set_explainable(std::uint32_t count) {
    const std::lock_guard lock(mutex_);
    explainable_ = count;
  }

  static constexpr std::uint64_t kFirstTicket = 1;

 private:
  void fault(std::string text) {
    if (fault_.empty()) fault_ = std::move(text);
  }
  void complete_one(std::uint64_t ticket) {
    if (ticket < kFirstTicket || ticket >= offered_end_) {
      const std::string range = offered_end_ == 0 ? "none yet" : "1 to " + std::to_string(offered_end_ - 1);
      return fault("ticket " + std::to_string(ticket) + " was completed, but the tickets given are " + range);
    }
    if (done_[ticket - kFirstTicket]) return fault("ticket " + std::to_string(ticket) + " was completed twice");
    done_[ticket - kFirstTicket] = true;
    ++completed_;
    highest_ = std::max(highest_, ticket);
    const auto batch = std::prev(batches_.upper_bound(ticket));
    batch->second->complete(static_cast<std::uint32_t>(ticket - batch->first));
  }

  const int wake_fd_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, GuardedBatch*> batches_;  // by first ticket
  std::vector<bool> done_;
  std::uint64_t offered_end_ = 0, taken_end_ = kFirstTicket, completed_ = 0, highest_ = 0;
  std::uint32_t explainable_ = 0;
  std::string fault_;
};

}  // namespace sluice::check
