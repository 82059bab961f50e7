// One connection to a Redis server: commands out, answers in, nothing in between. client.cc alone knows hiredis.
#pragma once

#include "address.hh"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace redis_streams {

/// Who is told of the answers, in the order of the commands.
class Answers {
 public:
  virtual void added(std::uint32_t count) = 0;       // that many texts in a row: entries were added
  virtual void counted() = 0;                        // a number: a stream was trimmed
  virtual void refused(std::string_view error) = 0;  // an error, without its '-'
 protected:
  ~Answers() = default;
};

/// Blocks at first, see go_on_without_blocking(). Not thread-safe.
class Connection {
 public:
  /// Connects, then AUTH and SELECT as the address says. Throws sluice::Away with a text for people.
  Connection(const Address& address, std::chrono::milliseconds timeout);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Sends one command and waits for its answer, or the first part of it. Throws sluice::Away for an error.
  std::string ask(std::initializer_list<std::string_view> words);
  /// From here on append(), write() and read() instead of ask().
  void go_on_without_blocking();

  /// Adds commands to what write() sends.
  [[nodiscard]] bool append(std::string_view commands);
  /// Sends what the socket takes now. False: the connection is lost.
  [[nodiscard]] bool write();
  [[nodiscard]] bool wants_write() const noexcept;
  /// Reads once, and hands on every answer that is whole. False: the connection is lost.
  [[nodiscard]] bool read(Answers& answers);

  /// poll() on fd() is not to report less than this many bytes of answers. No effect where the system cannot do it.
  void wake_at(std::uint32_t bytes) noexcept;

  [[nodiscard]] int fd() const noexcept;
  /// Why it was lost.
  [[nodiscard]] std::string error() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// False: rediss:// cannot be used with the library this was built with.
[[nodiscard]] bool has_tls() noexcept;

}  // namespace redis_streams
