#include "core/dedup_keys.hh"

#include "core/assert.hh"

#include <algorithm>

namespace sluice {

// ---- recorded ----

void KnownKeys::add(const KeyHash& key, std::int64_t at_ms) {
  if (max_keys_ == 0) return;
  if (count_ == max_keys_) {
    const Entry& oldest = ring_[first_];
    const bool counts = oldest.key != key && table_.find(oldest.key) == first_;
    if (counts && oldest.at_ms + ttl_ms_ > at_ms) ++evicted_;
    drop_oldest();
  }
  if (count_ == ring_.size()) grow();
  const std::size_t place = (first_ + count_++) % ring_.size();
  ring_[place] = {key, at_ms};
  table_.set(key, static_cast<std::uint32_t>(place));  // an older place of the same key counts no more
}

bool KnownKeys::contains(const KeyHash& key, std::int64_t now_ms) const noexcept {
  const std::uint32_t place = table_.find(key);
  return place != KeyTable::kNone && ring_[place].at_ms + ttl_ms_ > now_ms;
}

void KnownKeys::expire(std::int64_t now_ms, std::size_t steps) noexcept {
  while (steps-- > 0 && count_ > 0 && ring_[first_].at_ms + ttl_ms_ <= now_ms) drop_oldest();
}

void KnownKeys::drop_oldest() noexcept {
  const KeyHash& key = ring_[first_].key;
  if (table_.find(key) == first_) table_.erase(key);
  first_ = (first_ + 1) % ring_.size();
  --count_;
}

void KnownKeys::grow() {
  const std::size_t size = std::min<std::uint64_t>(max_keys_, std::max<std::size_t>(64, ring_.size() * 2));
  std::vector<Entry> ring(size);
  KeyTable table;
  for (std::size_t i = 0; i < count_; ++i) {
    ring[i] = ring_[(first_ + i) % ring_.size()];
    table.set(ring[i].key, static_cast<std::uint32_t>(i));
  }
  ring_.swap(ring);
  table_ = std::move(table);
  first_ = 0;
}

// ---- under way ----

void KeysInFlight::begin(const KeyHash& key, EventPlace first, std::uint32_t record) {
  SLUICE_ASSERT(table_.find(key) == kNone);
  std::uint32_t flight = 0;
  if (idle_flights_.empty()) {
    flight = static_cast<std::uint32_t>(flights_.size());
    flights_.emplace_back();
  } else {
    flight = idle_flights_.back();
    idle_flights_.pop_back();
  }
  flights_[flight] = {{first, record}, kNone};
  table_.set(key, flight);
}

const KeysInFlight::First* KeysInFlight::find(const KeyHash& key) const noexcept {
  const std::uint32_t flight = table_.find(key);
  return flight == kNone ? nullptr : &flights_[flight].first;
}

void KeysInFlight::join(const KeyHash& key, EventPlace copy) {
  const std::uint32_t flight = table_.find(key);
  SLUICE_ASSERT(flight != kNone);
  std::uint32_t place = 0;
  if (idle_copies_.empty()) {
    place = static_cast<std::uint32_t>(copies_.size());
    copies_.emplace_back();
  } else {
    place = idle_copies_.back();
    idle_copies_.pop_back();
  }
  copies_[place] = {copy, flights_[flight].copies};
  flights_[flight].copies = place;
}

void KeysInFlight::end(const KeyHash& key, std::vector<EventPlace>& copies) {
  copies.clear();
  const std::uint32_t flight = table_.find(key);
  SLUICE_ASSERT(flight != kNone);
  for (std::uint32_t at = flights_[flight].copies; at != kNone; at = copies_[at].next) {
    copies.push_back(copies_[at].place);
    idle_copies_.push_back(at);
  }
  std::ranges::reverse(copies);  // in the order in which they came
  idle_flights_.push_back(flight);
  table_.erase(key);
}

}  // namespace sluice
