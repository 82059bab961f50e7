// What an observer is being shown, kept where the end of the process does not take it along (a page of a file in its
// queue's folder). An event that ends the process each time it is shown would otherwise do so for ever: the next start
// shows it again. So a start that finds something under way knows that the last process ended there, or that the
// observer failed on it, shows those events one by one, and sets one aside that did it too often. Pure.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

/// Written by one thread, without a lock or a system call; read at the next start. A kill falls between two stores.
struct UnderWay {
  std::atomic<std::uint64_t> first{0}, count{0};            // records that are shown now; count 0: none
  std::atomic<std::uint64_t> suspects{0}, suspects_end{0};  // what was under way when an earlier process ended
  std::atomic<std::uint64_t> ends{0};                       // how many processes in a row ended there

  void begin(std::uint64_t from, std::uint64_t how_many) noexcept {
    first.store(from, std::memory_order_relaxed);
    count.store(how_many, std::memory_order_release);
  }
  void taken() noexcept {
    const std::uint64_t behind = first.load(std::memory_order_relaxed) + count.load(std::memory_order_relaxed);
    count.store(0, std::memory_order_release);
    if (ends.load(std::memory_order_relaxed) > 0 && behind >= suspects_end.load(std::memory_order_relaxed)) acquit();
  }
  /// Nothing is suspected any more.
  void acquit() noexcept { ends.store(0, std::memory_order_release); }
  [[nodiscard]] bool suspects_any(std::uint64_t from, std::uint64_t to) const noexcept {
    return ends.load(std::memory_order_relaxed) > 0 && from < suspects_end.load(std::memory_order_relaxed) &&
           to > suspects.load(std::memory_order_relaxed);
  }

  /// At a start: takes over how the last process ended. Records below `low` are done, `next` was never written.
  void heed_end(std::uint64_t low, std::uint64_t next) noexcept {
    const std::uint64_t from = first.load(std::memory_order_acquire), how_many = count.load(std::memory_order_acquire);
    count.store(0, std::memory_order_relaxed);
    if (how_many > 0 && from < next && how_many <= next - from && from + how_many > low) {
      const std::uint64_t before = suspects_any(from, from + how_many) ? ends.load(std::memory_order_relaxed) : 0;
      suspects.store(from, std::memory_order_relaxed);
      suspects_end.store(from + how_many, std::memory_order_relaxed);
      ends.store(before + 1, std::memory_order_release);
    } else if (suspects_end.load(std::memory_order_relaxed) <= low ||
               suspects_end.load(std::memory_order_relaxed) > next) {
      acquit();
    }
  }
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace sluice
