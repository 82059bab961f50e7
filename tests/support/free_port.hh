// A port for a server that a test starts: free, and no other test's while this process lives, in this checkout or
// another.
#pragma once

#include "catch.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

/// The same as free_port() of tests/scenarios/support.py, claims included: see there why.
inline std::uint16_t free_port() {
  constexpr int kFirst = 10'000, kLast = 32'000, kTries = 1'000;
  std::random_device draw;
  std::uniform_int_distribution<int> ports(kFirst, kLast);
  for (int i = 0; i < kTries; ++i) {
    const int port = ports(draw);
    const int claim = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const std::string name = "sluice-test-port-" + std::to_string(port);
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), path.sun_path + 1);  // behind a NUL: no file
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool free = ::bind(claim, reinterpret_cast<const sockaddr*>(&path), length) == 0 &&
                      ::bind(probe, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    ::close(probe);
    if (free) return static_cast<std::uint16_t>(port);  // the claim stays open until the process ends
    ::close(claim);
  }
  FAIL("no free port between " << kFirst << " and " << kLast);
  return 0;
}
