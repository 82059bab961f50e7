// What JetStream writes into the reply subject of a message that it hands out. Pure.
//
//   $JS.ACK.<stream>.<consumer>.<times delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>
//   $JS.ACK.<domain>.<account hash>.<stream>.<consumer>.<…the same five>.<more>
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nats {

struct Delivery {
  std::string_view stream;
  std::uint64_t times = 0;     // 1 for the first time
  std::uint64_t sequence = 0;  // in the stream
  std::uint64_t pending = 0;   // messages behind it that the consumer has not handed out yet
};

[[nodiscard]] std::optional<Delivery> read_ack_subject(std::string_view subject) noexcept;

}  // namespace nats
