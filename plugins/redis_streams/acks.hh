// Acknowledgements: many ids in one XACK, kept until the server has answered, so that a lost connection does not make
// settled events come again. Acknowledging twice is harmless. Pure.
#pragma once

#include "encode.hh"
#include "stream_id.hh"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace redis_streams {

class Acks {
 public:
  static constexpr std::uint32_t kIdsMax = 1000;  // in one command

  Acks(std::string_view stream, std::string_view group) : front_(words({"XACK", stream, group})) {}

  void add(const StreamId& id) {
    if (waiting_count_ == kIdsMax) close();
    char text[48];
    char* end = std::to_chars(text, text + sizeof text, id.ms).ptr;
    *end++ = '-';
    end = std::to_chars(end, text + sizeof text, id.sequence).ptr;
    append_word(waiting_, {text, static_cast<std::size_t>(end - text)});
    ++waiting_count_;
  }
  /// Commands that were not sent yet, one after the other; `count` answers will come. They are kept until answered().
  [[nodiscard]] std::string_view unsent(std::size_t& count) {
    close();
    out_.clear();
    count = commands_.size() - sent_;
    for (; sent_ < commands_.size(); ++sent_) out_ += commands_[sent_];
    return out_;
  }
  void answered() {
    if (sent_ == 0) return;
    commands_.pop_front();
    --sent_;
  }
  /// The connection is lost: everything that was not answered is sent again.
  void send_again() noexcept { sent_ = 0; }
  /// Ids that are in no command yet.
  [[nodiscard]] std::uint32_t waiting() const noexcept { return waiting_count_; }
  [[nodiscard]] bool any_unsent() const noexcept { return waiting_count_ > 0 || sent_ < commands_.size(); }
  [[nodiscard]] bool none() const noexcept { return waiting_count_ == 0 && commands_.empty(); }

 private:
  void close() {
    if (waiting_count_ == 0) return;
    commands_.push_back(list_head(3 + waiting_count_) + front_ + waiting_);
    waiting_.clear();
    waiting_count_ = 0;
  }

  const std::string front_;
  std::string waiting_, out_;
  std::uint32_t waiting_count_ = 0;
  std::deque<std::string> commands_;  // sent_ of them are under way
  std::size_t sent_ = 0;
};

}  // namespace redis_streams
