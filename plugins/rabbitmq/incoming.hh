// What the server sends, frame by frame: a message comes in a method, its properties and pieces of its body, and is
// handed on when it is whole.
#pragma once

#include "client.hh"
#include "library.hh"

#include <cstdint>
#include <string>

namespace rabbitmq {

class Incoming {
 public:
  /// False: the server closed channel, connection or consumer; see why().
  [[nodiscard]] bool take(const amqp_frame_t& frame, Frames& frames);
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  /// Between two messages: nothing of the library's memory is needed any more.
  [[nodiscard]] bool is_between() const noexcept { return kind_ == Kind::none; }

 private:
  enum class Kind : std::uint8_t { none, delivery, returned };

  [[nodiscard]] bool take_method(const amqp_method_t& method, Frames& frames);
  void take_whole(Frames& frames);

  Kind kind_ = Kind::none;
  Message message_;  // kept for its memory
  std::uint64_t body_bytes_ = 0;
  std::uint16_t return_code_ = 0;
  std::string return_text_;
  std::string why_;
};

}  // namespace rabbitmq
