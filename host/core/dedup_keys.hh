// What a source knows of keys: those that were delivered and recorded, and those that are under way with the copies
// that wait for them. Bounded by count and time. Pure.
#pragma once

#include "core/key_table.hh"
#include "core/ledger.hh"

#include <cstdint>
#include <vector>

namespace sluice {

/// Keys that were recorded, oldest first, for `ttl_ms` each and at most `max_keys`.
class KnownKeys {
 public:
  KnownKeys(std::int64_t ttl_ms, std::uint64_t max_keys) : ttl_ms_(ttl_ms), max_keys_(max_keys) {}

  void add(const KeyHash& key, std::int64_t at_ms);
  [[nodiscard]] bool contains(const KeyHash& key, std::int64_t now_ms) const noexcept;
  /// Forgets what is too old, at most `steps` keys.
  void expire(std::int64_t now_ms, std::size_t steps) noexcept;

  [[nodiscard]] std::uint64_t size() const noexcept { return table_.size(); }
  /// Keys forgotten before their time because there were too many.
  [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }

 private:
  struct Entry {
    KeyHash key;
    std::int64_t at_ms = 0;
  };
  void drop_oldest() noexcept;
  void grow();

  const std::int64_t ttl_ms_;
  const std::uint64_t max_keys_;
  KeyTable table_;           // key → place in the ring
  std::vector<Entry> ring_;  // in the order of recording
  std::size_t first_ = 0, count_ = 0;
  std::uint64_t evicted_ = 0;
};

/// An event in the ledger.
struct EventPlace {
  PageId page = 0;
  std::uint32_t origin = kNoOrigin;
};

/// Keys of events under way, and the copies that joined them.
class KeysInFlight {
 public:
  /// Requires: the key is not in flight.
  void begin(const KeyHash& key, EventPlace first, std::uint32_t record);
  struct First {
    EventPlace place;
    std::uint32_t record = 0;
  };
  /// Null when the key is not in flight.
  [[nodiscard]] const First* find(const KeyHash& key) const noexcept;
  /// A copy waits for the key's first event. Requires: the key is in flight.
  void join(const KeyHash& key, EventPlace copy);
  /// The first event's end is known: the copies that waited for it. Requires: the key is in flight.
  void end(const KeyHash& key, std::vector<EventPlace>& copies);

  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }

 private:
  static constexpr std::uint32_t kNone = KeyTable::kNone;
  struct Flight {
    First first;
    std::uint32_t copies = kNone;  // the latest; linked backwards
  };
  struct Copy {
    EventPlace place;
    std::uint32_t next = kNone;
  };
  KeyTable table_;  // key → flight
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> idle_flights_;
  std::vector<Copy> copies_;
  std::vector<std::uint32_t> idle_copies_;
};

}  // namespace sluice
