// An HTTP/1.1 server on one thread: sockets, parsing, deadlines, answers. It knows nothing of events: what a request
// means is the Reception's word. Every wait is inside run(). Only server.cc (who comes in, the waiting) and
// connection.cc (one caller's requests) know Boost.
#pragma once

#include "desk.hh"
#include "front.hh"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sluice_http {

struct ServerOptions {
  std::string address = "127.0.0.1";  // a numeric IP address
  std::uint16_t port = 0;
  std::uint64_t body_bytes_max = 1024 * 1024;
  std::uint32_t header_bytes_max = 64 * 1024;
  std::uint32_t connections_max = 512;
  std::uint64_t bodies_bytes_max = 16 * 1024 * 1024;  // of all requests that are being read
  std::chrono::milliseconds idle{60'000}, header{10'000}, body{30'000};
};

/// Decides about requests. Called inside run(), one call at a time.
class Reception {
 public:
  virtual ~Reception() = default;
  /// The head is there. An answer ends the request; nothing lets the body come.
  [[nodiscard]] virtual std::optional<Answer> screen(const RequestHead& head) = 0;
  /// The body is there. Nothing: the caller is answered later.
  [[nodiscard]] virtual std::optional<Answer> take(const RequestHead& head, std::string& body,
                                                   const std::shared_ptr<Caller>& caller) = 0;
  /// Bytes held for requests that are complete and not pulled yet: they count against bodies_bytes_max too.
  [[nodiscard]] virtual std::uint64_t held_bytes() const = 0;
  [[nodiscard]] virtual std::uint64_t now_ns() const = 0;
  virtual void warn(std::string_view text) = 0;
};

struct ServerState;

/// True for a numeric IPv4 or IPv6 address.
[[nodiscard]] bool is_ip_address(const std::string& text);

class Server {
 public:
  Server(ServerOptions options, Reception& reception);
  ~Server();

  /// Opens the door and returns the port. Throws std::runtime_error with the reason.
  std::uint16_t listen();
  /// Serves until `done` says so, wake_fd is readable (it is not read) or the timeout has passed.
  void run(int wake_fd, std::chrono::milliseconds timeout, const std::function<bool()>& done);
  /// Closes the door and the idle connections. Requests under way are still answered, each as its connection's last.
  void stop();
  [[nodiscard]] std::size_t connections() const noexcept;

 private:
  std::unique_ptr<ServerState> state_;
};

}  // namespace sluice_http
