// Messages that the server has handed out and that are not settled yet: waiting for the host, or with it. Each has a
// place whose memory is kept for the next one; a tag names place and turn, so that a late word cannot meet another.
#pragma once

#include "client.hh"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace nats {

struct Place {
  Message message;    // until it was pulled
  std::string reply;  // where its acknowledgement goes
  std::string position;
  std::uint64_t touched_ms = 0;  // when the server last heard that it is in work
  std::uint32_t turn = 0;
  bool taken = false;
};

class Held {
 public:
  /// Puts a message behind those that wait.
  void add(Message message, std::uint64_t now_ms) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(places_.size()));
      places_.emplace_back();
    }
    Place& place = places_[free_.back()];
    place.reply = message.reply();
    place.message = std::move(message);
    place.touched_ms = now_ms;
    place.taken = true;
    waiting_.push_back(free_.back());
    free_.pop_back();
  }
  /// The one that has waited longest, or null; pulled() takes it off the queue and returns its tag.
  [[nodiscard]] Place* oldest() noexcept { return waiting_.empty() ? nullptr : &places_[waiting_.front()]; }
  std::uint64_t pulled() {
    const std::uint32_t number = waiting_.front();
    waiting_.pop_front();
    places_[number].message = {};
    return std::uint64_t{places_[number].turn} << 32 | number;
  }
  /// The place of a tag, or null when it was settled before.
  [[nodiscard]] Place* find(std::uint64_t tag) noexcept {
    const std::uint64_t number = tag & 0xffffffffu;
    if (number >= places_.size()) return nullptr;
    Place& place = places_[number];
    return place.taken && place.turn == tag >> 32 ? &place : nullptr;
  }
  void free(std::uint64_t tag) {
    Place& place = places_[tag & 0xffffffffu];
    place.taken = false;
    ++place.turn;
    free_.push_back(static_cast<std::uint32_t>(tag & 0xffffffffu));
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return places_.size() - free_.size(); }
  template <class Visit>
  void each(Visit visit) {
    for (Place& place : places_) {
      if (place.taken) visit(place);
    }
  }

 private:
  std::deque<Place> places_;  // as many as were ever held at once
  std::vector<std::uint32_t> free_;
  std::deque<std::uint32_t> waiting_;
};

}  // namespace nats
