// One assigned partition: which of its messages were handed over, and up to where all of them are settled, which is
// what may be committed. Pure bookkeeping, no library and no clock.
//
// Offsets rise but need not be dense (compaction, transactions). A message that could not be delivered is read again;
// on the way to it the messages behind it come by a second time, and those that are settled or under way are skipped.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

namespace kafka {

class Place {
 public:
  /// True when the message at this offset is to be handed over now; take() must follow then.
  [[nodiscard]] bool wants(std::int64_t offset) const noexcept {
    if (entries_.empty() || offset > entries_.back().offset) return offset >= next_;
    const auto found = find(offset);
    return found != entries_.end() && found->offset == offset && found->state == State::failed;
  }
  /// The message's number, for settle(). Failed messages before it that did not come again are gone from the topic:
  /// see lost().
  std::uint64_t take(std::int64_t offset) {
    if (reading_again_) give_up_before(offset);
    if (entries_.empty() || offset > entries_.back().offset) {
      entries_.push_back({offset, State::open});
      return first_ + entries_.size() - 1;
    }
    const auto found = entries_.begin() + (find(offset) - entries_.cbegin());
    found->state = State::open;
    --failed_;
    return first_ + static_cast<std::uint64_t>(found - entries_.begin());
  }
  /// Settled, or failed: to be read again. A number that is not under way is ignored.
  void settle(std::uint64_t number, bool well) {
    const std::uint64_t index = number - first_;
    if (index >= entries_.size() || entries_[index].state != State::open) return;
    entries_[index].state = well ? State::settled : State::failed;
    if (!well) ++failed_;
    advance();
  }
  /// Of a message that is not settled yet, or was settled out of turn.
  [[nodiscard]] std::int64_t offset_of(std::uint64_t number) const noexcept {
    const std::uint64_t index = number - first_;
    return index < entries_.size() ? entries_[index].offset : next_;
  }
  /// From here on messages come from the lowest failed offset on.
  void reads_again() noexcept { reading_again_ = true; }

  /// What may be committed: the offset of the next message to read, -1 before anything was settled.
  [[nodiscard]] std::int64_t next() const noexcept { return next_; }
  /// The offset of the oldest message that is not settled, as far as known: -1 before the first one came.
  [[nodiscard]] std::int64_t oldest() const noexcept { return entries_.empty() ? next_ : entries_.front().offset; }
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }
  [[nodiscard]] std::uint64_t unsettled() const noexcept { return entries_.size(); }
  /// True while a message is with the host.
  [[nodiscard]] bool under_way() const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [](const Entry& e) { return e.state == State::open; });
  }
  [[nodiscard]] std::int64_t lowest_failed() const noexcept {
    for (const Entry& entry : entries_) {
      if (entry.state == State::failed) return entry.offset;
    }
    return -1;
  }
  /// Messages that failed and were deleted by the broker before they could be read again.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
  /// The numbers that settle() may still be told start here.
  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }

 private:
  enum class State : std::uint8_t { open, settled, failed };
  struct Entry {
    std::int64_t offset;
    State state;
  };

  [[nodiscard]] std::deque<Entry>::const_iterator find(std::int64_t offset) const noexcept {
    return std::lower_bound(entries_.begin(), entries_.end(), offset,
                            [](const Entry& entry, std::int64_t wanted) { return entry.offset < wanted; });
  }
  void give_up_before(std::int64_t offset) {
    for (Entry& entry : entries_) {
      if (entry.offset >= offset || failed_ == 0) break;
      if (entry.state != State::failed) continue;
      entry.state = State::settled;
      --failed_;
      ++lost_;
    }
    if (failed_ == 0) reading_again_ = false;
    advance();
  }
  void advance() {
    while (!entries_.empty() && entries_.front().state == State::settled) {
      next_ = entries_.front().offset + 1;
      entries_.pop_front();
      ++first_;
    }
  }

  std::deque<Entry> entries_;  // by offset; the front one is not settled
  std::uint64_t first_ = 0;    // the number of the front one
  std::uint64_t failed_ = 0, lost_ = 0;
  std::int64_t next_ = -1;
  bool reading_again_ = false;
};

}  // namespace kafka
