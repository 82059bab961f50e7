// Where a server is, how to get in, and what must be there. Values; client.cc acts on them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rabbitmq {

struct Address {
  std::string host, user, password, vhost;
  std::uint16_t port = 5672;
  bool tls = false;

  /// For people: without user and password.
  [[nodiscard]] std::string shown() const;
};

/// From amqp[s]://user:password@host:port/vhost; a path of "/" is the virtual host "/". Throws sluice::BadConfig; the
/// text never holds the password.
[[nodiscard]] Address parse_address(const std::string& url);

struct Access {
  Address address;
  std::string ca, certificate, key;  // files, for amqps://
  std::string name;                  // shown by the server's tools
  std::chrono::seconds heartbeat{};  // 0 = none
  std::uint32_t frame_bytes_max = 0;
  std::chrono::milliseconds timeout{};  // for connecting, for each answer, and for the socket to take more
};

struct Exchange {
  std::string name, type;
  bool durable = true;
  bool passive = false;  // it must be there already
};

struct Queue {
  std::string name;
  bool durable = true;
  bool passive = false;
  std::vector<std::pair<std::string, std::string>> arguments;  // numbers and booleans are sent as such
};

}  // namespace rabbitmq
