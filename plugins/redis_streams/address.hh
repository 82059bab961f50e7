// Where a server is and how to get in, from a URL as redis-py takes it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace redis_streams {

struct Address {
  std::string host;  // a name or an IP address; empty for a unix socket
  std::uint16_t port = 6379;
  std::string path;  // of a unix socket
  std::string user, password;
  std::uint32_t database = 0;
  bool tls = false;

  /// For people: without user and password.
  [[nodiscard]] std::string shown() const;
};

struct TlsFiles {
  std::string authority;  // PEM; empty: the system's
  std::string certificate, key;
};

/// Throws sluice::BadConfig; the text never holds the password.
[[nodiscard]] Address parse_address(std::string_view url);
/// "host", "host:port" or "[::1]:port". Throws sluice::BadConfig.
[[nodiscard]] Address parse_authority(std::string_view text, std::uint16_t default_port);

}  // namespace redis_streams
