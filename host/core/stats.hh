// Counters of one node. Written by the node's lane alone (plus a few marked ones), read by anyone at any time: plain
// relaxed atomics, no lock. The admin server turns them into /metrics and /stats.
#pragma once

#include "core/limits.hh"

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace sluice {

/// A number with one writer and many readers: adding is a load, an add and a store, never a locked instruction.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  /// For the few that several threads write.
  void add_shared(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Durations or sizes in log-linear buckets: four per power of two. A percentile is the middle of its bucket, so it is
/// within 13 % of the truth.
/// Unit: whatever the owner says (nanoseconds, bytes).
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 64 * 4;

  void add(std::uint64_t value, std::uint64_t count = 1) noexcept {
    buckets_[bucket_of(value)].add(count);
    count_.add(count);
    sum_.add(value * count);
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_.get(); }
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_.get(); }
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const noexcept { return buckets_[i].get(); }
  /// The largest value that falls into bucket i.
  [[nodiscard]] static std::uint64_t upper_bound(std::size_t i) noexcept {
    if (i < 4) return i;
    const unsigned exponent = static_cast<unsigned>(i / 4) + 1;
    const std::uint64_t quarter = i % 4;
    if (exponent > 63) return ~std::uint64_t{0};  // no value falls there
    return (std::uint64_t{1} << exponent) + ((quarter + 1) << (exponent - 2)) - 1;
  }
  /// What stands for the values of bucket i.
  [[nodiscard]] static std::uint64_t middle(std::size_t i) noexcept {
    const std::uint64_t least = i == 0 ? 0 : upper_bound(i - 1) + 1;
    return i >= kBuckets - 4 ? upper_bound(i) : least + (upper_bound(i) - least) / 2;
  }
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < 4) return static_cast<std::size_t>(value);
    const unsigned exponent = 63u - static_cast<unsigned>(std::countl_zero(value));
    const auto quarter = static_cast<std::size_t>((value >> (exponent - 2)) & 3);
    return (exponent - 1) * 4 + quarter;
  }
  /// The value below which the share `q` (0..1) lies; 0 when empty.
  [[nodiscard]] std::uint64_t percentile(double q) const noexcept {
    const std::uint64_t total = count();
    if (total == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(total - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += bucket(i);
      if (seen >= wanted) return middle(i);
    }
    return upper_bound(kBuckets - 1);
  }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter count_, sum_;
};

enum class NodeState : std::uint8_t { starting, running, away, draining, stopped, broken, ended };
enum class BreakerState : std::uint8_t { closed, open, half_open };

[[nodiscard]] constexpr const char* to_text(NodeState state) noexcept {
  switch (state) {
    case NodeState::starting:
      return "starting";
    case NodeState::running:
      return "running";
    case NodeState::away:
      return "away";
    case NodeState::draining:
      return "draining";
    case NodeState::stopped:
      return "stopped";
    case NodeState::broken:
      return "broken";
    case NodeState::ended:
      return "ended";
  }
  return "broken";
}
[[nodiscard]] constexpr const char* to_text(BreakerState state) noexcept {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      return "half_open";
  }
  return "open";
}

/// What happened to the events of one type at one node.
struct TypeCounters {
  Counter in, out, dropped, rejected, retried, failed;
};

/// Everything that is known about a running node. `in`: events that reached it. `out`: source: events decoded and
/// routed; consumer: passed on; backend: delivered.
struct NodeStats {
  std::array<TypeCounters, limits::kTypes> by_type;                                  // by type id; see TypeTable
  Counter records_in, bytes_in, undecodable;                                         // sources
  Counter settled_delivered, settled_dropped, settled_rejected, settled_retry;       // sources, per record
  Counter derived;                                                                   // consumers: events emitted
  Counter attempts, retries, timeouts, dead_lettered, expired, duplicates_possible;  // backends
  Counter duplicates_skipped, without_key,
      keys_forgotten;    // sources with dedup: events; keys dropped before their time
  Counter keys_known;    // gauge
  Counter held_by_key;   // gauge; backends with ordering: events that wait behind an earlier one of their key
  Counter dropped_full;  // observers and drop_newest: events shed because the queue was full
  Counter away_periods, breaker_opened;
  Counter breaches;                              // contract broken: double, unknown or missing completions
  Counter queue_events, queue_bytes, in_flight;  // gauges
  // Backends with a spool; gauges but for the last three. Positions are record numbers.
  Counter spool_records, spool_bytes, spool_oldest_unix_ns, spool_synced, spool_position, spool_full;
  Counter spool_corrupt, spool_lost, spool_rejected;  // damaged places, records lost there, records set aside
  Histogram settle_ns;                                // sources: record pulled to settled
  Histogram publish_ns;                               // backends: offered to completed
  Histogram payload_bytes;                            // backends: size of one event as published
  Histogram event_age_ns;                             // backends: from the event's `time` to its completion
  std::atomic<NodeState> state{NodeState::starting};
  std::atomic<BreakerState> breaker{BreakerState::closed};

  void set_error(std::string_view text, std::int64_t unix_ns) {
    const std::lock_guard lock(error_mutex_);
    error_.assign(text);
    error_unix_ns_ = unix_ns;
  }
  [[nodiscard]] std::pair<std::string, std::int64_t> error() const {
    const std::lock_guard lock(error_mutex_);
    return {error_, error_unix_ns_};
  }

 private:
  mutable std::mutex error_mutex_;  // taken on a change of state, never per event
  std::string error_;
  std::int64_t error_unix_ns_ = 0;
};

/// Sum of one field over all types.
template <class Member>
[[nodiscard]] std::uint64_t total(const NodeStats& stats, Member TypeCounters::*field) noexcept {
  std::uint64_t sum = 0;
  for (const TypeCounters& counters : stats.by_type) sum += (counters.*field).get();
  return sum;
}

}  // namespace sluice
