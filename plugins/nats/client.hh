// One connection to a NATS server, driven by the lane that owns it. The library is known to client.cc, desk.cc and what
// they share in library.hh.
//
// The library is told that an event loop serves its socket: it makes no thread for the connection, and what is
// published, sent, read and taken all happens on the lane.
#pragma once

#include "headers.hh"
#include "options.hh"

#include <sluice/cpp/host_view.hh>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nats {

using std::chrono::milliseconds;

/// A received message; owns it.
class Message {
 public:
  Message() = default;
  ~Message() { clear(); }
  Message(Message&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Message& operator=(Message&& other) noexcept {
    clear();
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  [[nodiscard]] explicit operator bool() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] std::string_view subject() const noexcept;
  /// Where an answer to it goes; empty when none is wanted.
  [[nodiscard]] std::string_view reply() const noexcept;
  [[nodiscard]] std::string_view body() const noexcept;
  /// "" when there is no such header. The name's case counts.
  [[nodiscard]] std::string_view header(const char* name) const noexcept;
  void headers(Headers& out) const;
  /// The server's own word instead of a message: 404, 408, 409 …; 0 for a message.
  [[nodiscard]] int status() const noexcept;

 private:
  friend class Connection;
  void clear() noexcept;
  void* handle_ = nullptr;
};

/// Not thread-safe but for what the library does by itself (its timer sends a PING: then the host is woken).
class Connection {
 public:
  /// Connects to the first server that takes it. Throws sluice::Away with a text for people.
  Connection(const Address& address, milliseconds timeout, sluice::HostView host);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// A subject that is this connection's alone; everything below it arrives in the inbox.
  [[nodiscard]] const std::string& inbox() const noexcept;
  /// One more stream of messages into the same hands; `queue` may be empty. When it returns, the server knows of it.
  /// Throws Away.
  void subscribe(const std::string& subject, const std::string& queue, std::uint32_t messages_max,
                 std::uint64_t bytes_max, milliseconds timeout);

  /// Adds to what write() sends. False: the connection is lost.
  [[nodiscard]] bool publish(const char* subject, const char* reply, const Headers& headers, std::string_view body);
  [[nodiscard]] bool publish(const char* subject, const char* reply, std::string_view body);

  /// Waits for the socket or wake_fd, then sends and reads what can be without waiting.
  void exchange(int wake_fd, milliseconds timeout);
  [[nodiscard]] bool wants_write() const noexcept;
  /// The next message from the inbox; false when there is none. An empty message: the server says that nobody was there
  /// to take one that we sent with a reply subject, and the library does not tell which.
  [[nodiscard]] bool take_answer(Message& out);
  /// The next message of subscribe(); false when there is none.
  [[nodiscard]] bool take(Message& out);
  [[nodiscard]] std::uint32_t waiting() const noexcept;      // messages for take()
  [[nodiscard]] std::uint64_t dropped() const noexcept;      // messages that the bounds of subscribe() cost
  [[nodiscard]] std::uint64_t max_payload() const noexcept;  // bytes of headers and body
  [[nodiscard]] const std::string& server() const noexcept;  // its address, without credentials

  [[nodiscard]] bool lost() const noexcept;
  /// Why it was lost, or what the server complained of last; "" when nothing.
  [[nodiscard]] std::string error() const;
  /// What the user may not do, once the server has said so; "" before. The connection goes on.
  [[nodiscard]] std::string refusal() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nats
