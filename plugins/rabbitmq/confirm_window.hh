// Which events the server has not confirmed yet. Pure.
//
// A channel counts what is published on it from 1; the server's ack and nack name such a number, alone or with all
// before it. The host counts tickets. The window is the ring in between: it turns confirms into ranges of tickets, so
// that a confirm of a thousand messages is one completion, and nothing is allocated per event.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace rabbitmq {

class ConfirmWindow {
 public:
  explicit ConfirmWindow(std::uint32_t places);

  /// A fresh channel: the next message is its number 1. Forgets what was open.
  void begin();
  [[nodiscard]] std::uint32_t free() const noexcept { return places_ - static_cast<std::uint32_t>(next_ - base_); }
  [[nodiscard]] bool empty() const noexcept { return next_ == base_; }
  /// A message was published. `key` finds it again when it is returned. Requires: free() > 0.
  void sent(std::uint64_t ticket, std::uint64_t key = 0);

  /// Calls done(ticket, count) for each range of tickets that the server's word on `number` settles.
  template <class Done>
  void confirm(std::uint64_t number, bool multiple, Done done) {
    const std::uint64_t last = multiple && number == 0 ? next_ - 1 : number;  // 0: everything so far
    if (last >= next_ || last < base_) return;
    each_open(multiple ? base_ : last, last + 1, done);
    while (base_ != next_ && !place(base_).open) ++base_;
  }
  /// The same for everything that is still open: the connection is gone.
  template <class Done>
  void give_up(Done done) {
    each_open(base_, next_, done);
    base_ = next_;
  }
  /// The oldest open message with this key: its ticket. It is no longer open, though its confirm is still to come.
  [[nodiscard]] std::optional<std::uint64_t> returned(std::uint64_t key);

 private:
  struct Place {
    std::uint64_t ticket = 0, key = 0;
    bool open = false;
  };
  [[nodiscard]] Place& place(std::uint64_t number) noexcept { return ring_[number & (ring_.size() - 1)]; }

  template <class Done>
  void each_open(std::uint64_t from, std::uint64_t end, Done& done) {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    for (std::uint64_t number = from; number != end; ++number) {
      Place& at = place(number);
      if (!at.open) continue;
      at.open = false;
      if (count > 0 && at.ticket == first + count) {
        ++count;
        continue;
      }
      if (count > 0) done(first, count);
      first = at.ticket;
      count = 1;
    }
    if (count > 0) done(first, count);
  }

  std::uint32_t places_;
  std::vector<Place> ring_;            // a power of two, at least places_
  std::uint64_t base_ = 1, next_ = 1;  // numbers of the channel: [base_, next_) are not all confirmed
};

}  // namespace rabbitmq
