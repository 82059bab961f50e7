#include "core/key_order.hh"

#include "core/assert.hh"

#include <sluice/cpp/event_view.hh>

#include <functional>

namespace sluice {

KeyOrder::KeyOrder(const Ordering& policy, bool keeps_order)
    : policy_(policy), keeps_order_(keeps_order), max_held_(policy.max_held) {
  if (policy.key.starts_with('/')) data_key_.emplace(std::vector<std::string>{policy.key});
}

std::optional<KeyHash> KeyOrder::key_of(const sluice_event& event) {
  const auto text_of = [&](sluice_slice slice) { return std::string_view(event.text + slice.at, slice.len); };
  std::string_view key;
  if (data_key_) {
    key = data_key_->of(event);
  } else {
    if (policy_.key != "subject") key = text_of(event.key);
    if (key.empty() && policy_.key != "partitionkey") key = text_of(event.subject);
  }
  if (key.empty()) return {};
  // Two keys that meet here wait for each other, which costs time and no order.
  return KeyHash{0, std::hash<std::string_view>{}(key)};
}

bool KeyOrder::enter(const KeyHash& key) {
  if (const std::uint32_t found = table_.find(key); found != kNone) {
    Entry& entry = entries_[found];
    if (!keeps_order_ || entry.held || entry.first != kNone || entry.failures != failures_) return false;
    ++entry.under_way;
    return true;
  }
  std::uint32_t made = 0;
  if (idle_entries_.empty()) {
    made = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    made = idle_entries_.back();
    idle_entries_.pop_back();
  }
  entries_[made] = {};
  entries_[made].under_way = 1;
  entries_[made].failures = failures_;
  table_.set(key, made);
  return true;
}

void KeyOrder::step_back(const KeyHash& key) {
  const std::uint32_t found = table_.find(key);
  SLUICE_ASSERT(found != kNone && entries_[found].under_way > 0 && entries_[found].first == kNone);
  if (--entries_[found].under_way > 0) return;
  table_.erase(key);
  idle_entries_.push_back(found);
}

std::uint32_t KeyOrder::wait(const KeyHash& key, std::uint64_t number) {
  const std::uint32_t found = table_.find(key);
  SLUICE_ASSERT(found != kNone);
  Entry& entry = entries_[found];
  std::uint32_t slot = 0;
  if (idle_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = idle_slots_.back();
    idle_slots_.pop_back();
  }
  slots_[slot] = {Slot::State::waits, kNone, number};
  ++waiting_;
  if (entry.first == kNone) {
    entry.first = entry.last = slot;
  } else if (slots_[entry.last].number < number) {
    slots_[entry.last].next = slot;
    entry.last = slot;
  } else {  // one that comes back: before those that came after it
    std::uint32_t* place = &entry.first;
    while (slots_[*place].number < number) place = &slots_[*place].next;
    slots_[slot].next = *place;
    *place = slot;
  }
  return slot;
}

bool KeyOrder::fails(const KeyHash& key, bool again) {
  const std::uint32_t found = table_.find(key);
  SLUICE_ASSERT(found != kNone);
  Entry& entry = entries_[found];
  if (again || !entry.held) {
    entry.held = true;
    return true;
  }
  --entry.under_way;
  return false;
}

std::uint32_t KeyOrder::leave(const KeyHash& key, bool was_held) {
  const std::uint32_t found = table_.find(key);
  SLUICE_ASSERT(found != kNone && entries_[found].under_way > 0);
  Entry& entry = entries_[found];
  --entry.under_way;
  if (was_held) entry.held = false;
  // Whoever is still under way may come back, and then goes before those that wait.
  if (entry.held || entry.under_way > 0) return kNone;
  if (const std::uint32_t next = take_first(entry); next != kNone) {
    ++entry.under_way;
    entry.held = true;  // its successors wait for it: one at a time until nobody waits
    return next;
  }
  table_.erase(key);
  idle_entries_.push_back(found);
  return kNone;
}

std::uint32_t KeyOrder::take_first(Entry& entry) {
  while (entry.first != kNone) {
    const std::uint32_t slot = entry.first;
    const bool waits = slots_[slot].state == Slot::State::waits;
    entry.first = slots_[slot].next;
    if (entry.first == kNone) entry.last = kNone;
    slots_[slot].state = Slot::State::free;
    idle_slots_.push_back(slot);
    if (!waits) continue;
    --waiting_;
    return slot;
  }
  return kNone;
}

void KeyOrder::withdraw(std::uint32_t slot) noexcept {
  if (slots_[slot].state != Slot::State::waits) return;
  slots_[slot].state = Slot::State::withdrawn;
  --waiting_;
}

}  // namespace sluice
