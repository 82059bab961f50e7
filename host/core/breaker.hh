// A circuit breaker: closed while enough succeeds, open when the failure rate over a window is reached, half-open to
// try again with one probe. What an open breaker does with events is the lane's business (hold them, or shed them).
#pragma once

#include "core/config.hh"
#include "core/stats.hh"

#include <cstdint>
#include <vector>

namespace sluice {

class Breaker {
 public:
  explicit Breaker(const BreakerPolicy& policy) : policy_(policy), window_(policy.window > 0 ? policy.window : 1) {}

  /// May something be offered now? Half-open lets a single event through until its result is known.
  [[nodiscard]] bool allows(std::uint64_t now_ns) {
    if (!policy_.enabled || state_ == BreakerState::closed) return true;
    if (state_ == BreakerState::open && now_ns >= open_until_ns_) {
      state_ = BreakerState::half_open;
      probing_ = false;
    }
    return state_ == BreakerState::half_open && !probing_;
  }
  [[nodiscard]] BreakerState state() const noexcept { return state_; }
  [[nodiscard]] bool half_open() const noexcept { return state_ == BreakerState::half_open; }
  [[nodiscard]] std::uint64_t open_until_ns() const noexcept { return open_until_ns_; }
  void probe_sent() noexcept { probing_ = true; }
  /// The probe came back without an answer (cancelled): the next one may go.
  void probe_void() noexcept { probing_ = false; }

  /// `count` results of one kind. Returns true when the state changed.
  bool record(bool success, std::uint32_t count, std::uint64_t now_ns) {
    if (!policy_.enabled || count == 0) return false;
    if (state_ == BreakerState::half_open) {
      probing_ = false;
      if (success) {
        close();
      } else {
        open(now_ns);
      }
      return true;
    }
    if (state_ == BreakerState::open) return false;  // stragglers of the time before say nothing new
    if (count > window_.size()) count = static_cast<std::uint32_t>(window_.size());
    for (std::uint32_t i = 0; i < count; ++i) push(!success);
    if (!success && filled_ >= policy_.min_results &&
        static_cast<double>(failures_) >= policy_.failure_rate * static_cast<double>(filled_)) {
      open(now_ns);
      return true;
    }
    return false;
  }

 private:
  void push(bool failed) {
    if (filled_ == window_.size()) {
      failures_ -= window_[next_];
    } else {
      ++filled_;
    }
    window_[next_] = failed ? 1 : 0;
    failures_ += window_[next_];
    next_ = (next_ + 1) % window_.size();
  }
  void open(std::uint64_t now_ns) {
    state_ = BreakerState::open;
    open_until_ns_ = now_ns + static_cast<std::uint64_t>(policy_.open_for.count()) * 1'000'000u;
    clear();
  }
  void close() {
    state_ = BreakerState::closed;
    clear();
  }
  void clear() {
    failures_ = 0;
    filled_ = 0;
    next_ = 0;
    probing_ = false;
  }

  BreakerPolicy policy_;
  std::vector<std::uint8_t> window_;
  std::size_t next_ = 0;
  std::size_t filled_ = 0;
  std::uint32_t failures_ = 0;
  BreakerState state_ = BreakerState::closed;
  std::uint64_t open_until_ns_ = 0;
  bool probing_ = false;
};

}  // namespace sluice
