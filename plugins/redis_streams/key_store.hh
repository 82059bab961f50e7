// Keys with a time to live, shared by all hosts that use the same server and prefix: one SET … PX per key, pipelined.
#pragma once

#include "client.hh"
#include "options.hh"

#include <sluice/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace redis_streams {

/// Waits for its answers. One thread.
class KeyStore {
 public:
  /// `endpoint` outlives it.
  KeyStore(const Endpoint& endpoint, std::string prefix) : endpoint_(endpoint), prefix_(std::move(prefix)) {}

  /// Throw sluice::Away; the next call connects again.
  void lookup(std::span<const sluice_str> keys, std::uint8_t* present, std::chrono::milliseconds timeout);
  /// A `ttl` of 0 is without end.
  void record(std::span<const sluice_str> keys, std::chrono::milliseconds ttl, std::chrono::milliseconds timeout);
  /// A claim is a key of its own, whose value is its owner; SET … NX decides between hosts.
  void claim(std::span<const sluice_str> keys, std::span<const sluice_str> owners, std::uint8_t* taken,
             std::chrono::milliseconds ttl, std::chrono::milliseconds timeout);
  void release(std::span<const sluice_str> keys, std::span<const sluice_str> owners, std::chrono::milliseconds timeout);

 private:
  [[nodiscard]] std::string claim_name(const sluice_str& key) const;
  std::vector<Reply> ask(const std::string& commands, std::size_t count, std::chrono::milliseconds timeout);

  const Endpoint& endpoint_;
  const std::string prefix_;
  std::unique_ptr<Connection> connection_;  // null while the server is away
};

}  // namespace redis_streams
