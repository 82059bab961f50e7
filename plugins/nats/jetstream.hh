// What must be there before events can flow: a stream to publish to, a consumer to read with.
#pragma once

#include "options.hh"

#include <chrono>
#include <cstdint>
#include <string>

namespace nats {

/// Makes sure that a stream is there, as `wanted` says. Returns what a person should know about it, or "".
/// Throws sluice::Away with the cure.
[[nodiscard]] std::string ensure_stream(const Address& address, const StreamOptions& wanted,
                                        std::chrono::milliseconds timeout);

struct ConsumerFacts {
  std::chrono::milliseconds ack_wait{};        // the server's, which counts
  std::uint64_t pending = 0, ack_pending = 0;  // not handed out yet; handed out and not acknowledged
  std::uint64_t last_sequence = 0;             // of the stream
  std::string note;                            // what a person should know about it, or ""
};
/// Makes sure that the consumer is there. Throws sluice::Away with the cure.
[[nodiscard]] ConsumerFacts ensure_consumer(const Address& address, const ConsumerOptions& wanted,
                                            std::chrono::milliseconds timeout);

}  // namespace nats
