// Which events of a backend may be under way when order is kept by key: one of a key at a time, its successors behind
// it in the order in which they came, through every retry. Events without a key, and other keys, go on. Pure.
//
// The lane keeps the events; here they are slots, so that the same rules serve whatever an event is held as.
#pragma once

#include "core/config.hh"
#include "core/data_field.hh"
#include "core/key_table.hh"

#include <cstdint>
#include <optional>
#include <vector>

namespace sluice {

class KeyOrder {
 public:
  static constexpr std::uint32_t kNone = KeyTable::kNone;

  /// `keeps_order`: the class promises SLUICE_KEEPS_ORDER, so that several of a key may be under way until one fails.
  KeyOrder(const Ordering& policy, bool keeps_order);

  /// The event's key; none: it waits for nobody.
  [[nodiscard]] std::optional<KeyHash> key_of(const sluice_event& event);

  /// True: it may be offered, and counts as under way until it leaves. False: it must wait().
  [[nodiscard]] bool enter(const KeyHash& key);
  /// It entered, and was not taken after all. Requires: the latest that entered and is not taken back yet.
  void step_back(const KeyHash& key);
  /// True while as many wait as may: nothing more may be taken in.
  [[nodiscard]] bool full() const noexcept { return waiting_ >= max_held_; }
  /// Waits behind its key. `number` rises with every event of the lane. Gives the slot that it waits in.
  [[nodiscard]] std::uint32_t wait(const KeyHash& key, std::uint64_t number);
  /// Something failed, with or without a key. A class that keeps order lets nothing succeed that was under way behind
  /// it, so until that has come back, its keys take nobody more.
  void one_failed() noexcept { ++failures_; }
  /// It failed and will be tried again. `again`: it was held already. True: hold it, its key waits for it. False: one
  /// before it is held; wait() at its own place.
  [[nodiscard]] bool fails(const KeyHash& key, bool again);
  /// It was delivered or given up. The slot of its successor, which counts as under way from now on, or kNone.
  [[nodiscard]] std::uint32_t leave(const KeyHash& key, bool was_held);
  /// What waits in the slot was given up there.
  void withdraw(std::uint32_t slot) noexcept;
  [[nodiscard]] bool waits_in(std::uint32_t slot) const noexcept { return slots_[slot].state == Slot::State::waits; }

  [[nodiscard]] std::uint64_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::uint32_t slots() const noexcept { return static_cast<std::uint32_t>(slots_.size()); }
  /// Keys that something is under way for.
  [[nodiscard]] std::size_t keys() const noexcept { return table_.size(); }

 private:
  struct Slot {
    enum class State : std::uint8_t { free, waits, withdrawn } state = State::free;
    std::uint32_t next = kNone;
    std::uint64_t number = 0;
  };
  struct Entry {
    std::uint32_t under_way = 0;
    std::uint64_t failures = 0;                 // of the lane, when the first of those under way entered
    std::uint32_t first = kNone, last = kNone;  // slots
    bool held = false;                          // one of it failed, and the rest waits for that
  };
  [[nodiscard]] std::uint32_t take_first(Entry& entry);

  const Ordering policy_;
  const bool keeps_order_;
  const std::uint64_t max_held_;
  std::optional<DataKey> data_key_;
  KeyTable table_;  // key → entry
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> idle_entries_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> idle_slots_;
  std::uint64_t waiting_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace sluice
