// The messages that the server has handed over and that are not acknowledged yet. Pure.
//
// One place per message of the prefetch window. A place's tag is what the host gives back in settle(); it is never used
// again for another delivery, so that word of a delivery on a connection that is gone finds nothing, and its delivery
// tag is never acknowledged on the new one. Places stand in a list in the order of their delivery tags: what lies
// before the oldest open one can be acknowledged with a single basic.ack.
#pragma once

#include "message.hh"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace rabbitmq {

class Deliveries {
 public:
  struct Place {
    Message message;
    std::uint64_t tag = 0;       // the host's
    std::uint32_t failures = 0;  // how often it was handed to the host and came back undelivered, since it arrived
    std::uint64_t due_ms = 0;    // held until then
    bool open = false, held = false;
    std::uint32_t before = kNone, after = kNone;  // in the list of open places
  };
  /// What to tell the server: everything up to `up_to` at once (0: nothing), and these one by one.
  struct Acks {
    std::uint64_t up_to = 0;
    std::vector<std::uint64_t> single;
  };

  explicit Deliveries(std::uint32_t prefetch);

  /// The connection is gone, and with it every delivery.
  void forget();

  /// Takes a message in, swapping its memory with the place's. False: more than the window, which the server promised
  /// not to send.
  [[nodiscard]] bool arrived(Message& message);
  /// The oldest that waits to be handed over, or null. It stays the first until handed().
  [[nodiscard]] Place* waiting();
  void handed();
  [[nodiscard]] bool has_waiting() const noexcept { return !waiting_.empty(); }
  [[nodiscard]] std::uint32_t open() const noexcept { return open_; }

  /// The place that a settlement names; null when its connection is gone.
  [[nodiscard]] Place* find(std::uint64_t tag);
  /// It is done with and to be acknowledged; see take_acks().
  void acknowledge(Place& place);
  /// It is done with: the caller has told the server.
  void close(Place& place);
  /// It waits until `due_ms`.
  void hold(Place& place, std::uint64_t due_ms);
  /// Held places whose time has come are no longer held; each(place) says what becomes of them.
  template <class Each>
  void release_due(std::uint64_t now_ms, Each each) {
    for (std::size_t i = 0; i < held_.size();) {
      Place& place = places_[held_[i]];
      if (place.due_ms > now_ms) {
        ++i;
        continue;
      }
      held_[i] = held_.back();
      held_.pop_back();
      place.held = false;
      each(place);
    }
  }
  /// Back among those that wait to be handed over.
  void offer_again(Place& place);
  [[nodiscard]] std::optional<std::uint64_t> next_due_ms() const;

  /// What acknowledge() gathered. Valid until the next call.
  [[nodiscard]] const Acks& take_acks();

 private:
  static constexpr std::uint32_t kNone = 0xffffffffu;
  static constexpr std::uint64_t kIndexBits = 16;
  [[nodiscard]] std::uint32_t index_of(const Place& place) const noexcept {
    return static_cast<std::uint32_t>(&place - places_.data());
  }

  std::vector<Place> places_;
  std::vector<std::uint32_t> free_, held_;
  std::deque<std::uint32_t> waiting_;
  std::uint32_t first_ = kNone, last_ = kNone, open_ = 0;
  std::uint64_t next_serial_ = 1;
  std::vector<std::uint64_t> gathered_;
  Acks acks_;
};

}  // namespace rabbitmq
