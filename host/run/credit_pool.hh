// Credit: the events and bytes that a lane has promised to take. Back-pressure is nothing but this: no credit, no pull.
//
// Threads: any. Taken and given back once per batch, never per event. Who could not take is woken when a good part is
// free again, not at every chunk: otherwise each completed chunk would wake the source for a crumb.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace sluice {

/// Something that can be woken from any thread.
class Wakeable {
 public:
  virtual ~Wakeable() = default;
  virtual void wake() noexcept = 0;
};

class CreditPool {
 public:
  CreditPool(std::uint64_t max_events, std::uint64_t max_bytes)
      : max_events_(static_cast<std::int64_t>(max_events)), max_bytes_(static_cast<std::int64_t>(max_bytes)) {}

  /// All or nothing. On failure `waiter` (may be null) is woken once half of both bounds is free again, or when the
  /// lane has nothing left.
  [[nodiscard]] bool try_take(std::uint64_t events, std::uint64_t bytes, Wakeable* waiter) {
    const auto e = static_cast<std::int64_t>(events);
    const auto b = static_cast<std::int64_t>(bytes);
    const std::lock_guard lock(mutex_);
    if (used_events_ + e <= max_events_ && used_bytes_ + b <= max_bytes_) {
      used_events_ += e;
      used_bytes_ += b;
      return true;
    }
    if (waiter != nullptr) {
      for (const Wakeable* known : waiters_) {
        if (known == waiter) return false;
      }
      waiters_.push_back(waiter);
    }
    return false;
  }

  /// Takes what a record turned out to need beyond what was promised; may overdraw by that one record.
  void take_more(std::uint64_t events, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    used_events_ += static_cast<std::int64_t>(events);
    used_bytes_ += static_cast<std::int64_t>(bytes);
  }

  void give_back(std::uint64_t events, std::uint64_t bytes) {
    std::vector<Wakeable*> woken;
    {
      const std::lock_guard lock(mutex_);
      used_events_ -= static_cast<std::int64_t>(events);
      used_bytes_ -= static_cast<std::int64_t>(bytes);
      const bool roomy = used_events_ <= max_events_ / 2 && used_bytes_ <= max_bytes_ / 2;
      if (!waiters_.empty() && (roomy || used_events_ == 0)) woken.swap(waiters_);
    }
    for (Wakeable* waiter : woken) waiter->wake();
  }

  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> used() const {
    const std::lock_guard lock(mutex_);
    return {static_cast<std::uint64_t>(used_events_), static_cast<std::uint64_t>(used_bytes_)};
  }
  [[nodiscard]] std::uint64_t max_events() const noexcept { return static_cast<std::uint64_t>(max_events_); }
  [[nodiscard]] std::uint64_t max_bytes() const noexcept { return static_cast<std::uint64_t>(max_bytes_); }

 private:
  const std::int64_t max_events_, max_bytes_;
  mutable std::mutex mutex_;
  std::int64_t used_events_ = 0, used_bytes_ = 0;
  std::vector<Wakeable*> waiters_;
};

}  // namespace sluice
