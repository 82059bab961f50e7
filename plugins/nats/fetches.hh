// Which requests for messages are with the server, and how much of them is still to come. Pure.
//
// Messages come with the stream's subject and do not say which request they answer, but a server serves requests of one
// consumer in their order. The word that ends a request early does say which: its subject ends in the request's number.
#pragma once

#include <cstdint>
#include <deque>

namespace nats {

class Fetches {
 public:
  /// Notes a request for `messages`, which the server gives up at `until_ms`. Returns its number.
  std::uint64_t add(std::uint32_t messages, std::uint64_t until_ms) {
    open_.push_back({next_, messages, until_ms, false});
    outstanding_ += messages;
    return next_++;
  }
  void message_came() noexcept {
    if (open_.empty()) return;  // asked for by a connection that is gone
    open_.front().got_some = true;
    --outstanding_;
    if (--open_.front().left == 0) open_.pop_front();
  }
  /// True when a request ended without a single message.
  bool ended(std::uint64_t number) noexcept {
    for (auto fetch = open_.begin(); fetch != open_.end(); ++fetch) {
      if (fetch->number != number) continue;
      const bool nothing = !fetch->got_some;
      outstanding_ -= fetch->left;
      open_.erase(fetch);
      return nothing;
    }
    return false;
  }
  /// Forgets requests that the server has given up without a word.
  void expire(std::uint64_t now_ms) noexcept {
    while (!open_.empty() && open_.front().until_ms <= now_ms) (void)ended(open_.front().number);
  }
  void clear() noexcept {
    open_.clear();
    outstanding_ = 0;
  }
  [[nodiscard]] std::uint64_t outstanding() const noexcept { return outstanding_; }

 private:
  struct Fetch {
    std::uint64_t number;
    std::uint32_t left;
    std::uint64_t until_ms;
    bool got_some;
  };
  std::deque<Fetch> open_;
  std::uint64_t next_ = 1, outstanding_ = 0;
};

}  // namespace nats
