// For client libraries that push: their thread puts messages in, the lane's pull() takes them out. Bounded, and one
// wake of the host for each change from empty to not empty, so a flood costs a few wakes and not one per message.
//
//   bool on_message(Message m) { return inbox_.put(std::move(m)); }     // the library's thread
//   sluice_status pull(sluice_writer& out) {                            // the lane
//     while (inbox_.take(message_) && writer.add(…)) …
//   }
//
// Prefer the library's own pull form where it has one: then nothing is held that was not asked for.
#pragma once

#include "host_view.hh"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

namespace sluice {

/// Thread-safe: any number of threads put, the lane takes.
template <class Message>
class Inbox {
 public:
  Inbox(HostView host, std::size_t messages_max, std::size_t bytes_max) noexcept
      : host_(host), messages_max_(messages_max), bytes_max_(bytes_max) {}

  /// False when it is full: the caller holds the message back (a paused partition, an unacknowledged delivery), and
  /// asks again when has_room() says so. One message larger than the bound is taken when the inbox is empty.
  [[nodiscard]] bool put(Message message, std::size_t bytes = 0) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      if (!fits(bytes)) return false;
      wake = queue_.empty();
      bytes_ += bytes;
      queue_.emplace_back(std::move(message), bytes);
    }
    if (wake) host_.wake();
    return true;
  }
  /// The oldest message, or false.
  [[nodiscard]] bool take(Message& out) {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    out = std::move(queue_.front().first);
    bytes_ -= queue_.front().second;
    queue_.pop_front();
    return true;
  }
  /// What did not fit into a pull after all: it is the next to be taken. Never refused.
  void put_back(Message message, std::size_t bytes = 0) {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
    queue_.emplace_front(std::move(message), bytes);
  }
  [[nodiscard]] bool has_room() const {
    const std::lock_guard lock(mutex_);
    return fits(0);
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

 private:
  [[nodiscard]] bool fits(std::size_t bytes) const {
    if (queue_.empty()) return messages_max_ > 0;
    return queue_.size() < messages_max_ && bytes_ + bytes <= bytes_max_;
  }

  HostView host_;
  const std::size_t messages_max_, bytes_max_;
  mutable std::mutex mutex_;
  std::deque<std::pair<Message, std::size_t>> queue_;
  std::size_t bytes_ = 0;
};

}  // namespace sluice
