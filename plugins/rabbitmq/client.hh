// One connection to a RabbitMQ server with one channel: methods out, frames in. The library is
// known to client.cc, incoming.cc and what they share in library.hh.
//
// The library is made for one thread that waits. Here nothing waits once the topology stands: read() takes what is
// there, the caller sleeps on fd() together with everything else, and writing is bounded by the socket's own time
// limit.
#pragma once

#include "access.hh"
#include "answer.hh"
#include "message.hh"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rabbitmq {

/// Who is told of what came in.
class Frames {
 public:
  virtual void confirmed(std::uint64_t /*number*/, bool /*multiple*/) {}
  virtual void refused(std::uint64_t /*number*/, bool /*multiple*/) {}
  /// A mandatory message that no queue took; its confirm still comes.
  virtual void returned(std::uint16_t /*code*/, std::string_view /*text*/, const Message& /*message*/) {}
  /// May swap the message's memory away.
  virtual void delivered(Message& /*message*/) {}
  virtual void counted(std::uint32_t /*messages*/) {}  // the answer to ask_depth()
  virtual void blocked(std::string_view /*why*/) {}    // the server is short of memory or disk and reads no more
  virtual void unblocked() {}

 protected:
  ~Frames() = default;
};

/// Not thread-safe.
class Connection {
 public:
  /// Connects, logs in, opens the channel. Throws sluice::Away with a text for people.
  Connection(const Access& access, std::chrono::milliseconds timeout);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Each waits for the server's word. They throw sluice::Away that names the thing and the cure.
  void declare(const Exchange& exchange);
  void declare(const Queue& queue);
  /// How many messages are ready in a queue that is there.
  [[nodiscard]] std::uint32_t depth_of(const std::string& queue);
  void bind(const std::string& queue, const std::string& exchange, const std::string& routing_key);
  void consume(const std::string& queue, std::uint32_t prefetch);
  void confirm_publishing();
  /// Says goodbye and waits for the answer, so that what was sent before it is read before the connection is gone.
  void close(std::chrono::milliseconds timeout) noexcept;

  // These only write. False: the connection is lost, see error().
  [[nodiscard]] bool publish(const std::string& exchange, const Outgoing& message, bool mandatory, bool persistent);
  [[nodiscard]] bool acknowledge(std::uint64_t delivery_tag, bool multiple);
  [[nodiscard]] bool reject(std::uint64_t delivery_tag, bool requeue);
  [[nodiscard]] bool ask_depth(const std::string& queue);
  [[nodiscard]] bool cancel();
  /// While it is held, what is published leaves in large pieces only: neither side's kernel has work per message.
  void hold_output(bool held) noexcept;
  /// True when the socket takes more now.
  [[nodiscard]] bool writable() const noexcept;

  /// Hands on what is there and keeps the heartbeat; to be called before each wait on fd() and at least every
  /// heartbeat_period(). False: the connection is lost. `progress`: whether anything came.
  [[nodiscard]] bool read(Frames& frames, bool& progress);

  [[nodiscard]] int fd() const noexcept;
  [[nodiscard]] std::chrono::milliseconds heartbeat_period() const noexcept;
  /// The most that one frame holds, as agreed with the server.
  [[nodiscard]] std::uint32_t frame_bytes_max() const noexcept;
  /// Why it was lost.
  [[nodiscard]] const std::string& error() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rabbitmq
