// What an error of the server means, in words that say what to change. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rabbitmq {

/// What was asked for when the server refused: "exchange 'events'", "queue 'speaker.events'".
struct Asked {
  std::string what;
  bool passive = false;
};

/// `code` and `text` as the server gave them, e.g. 404 and "NOT_FOUND - no exchange 'x' in vhost '/'".
[[nodiscard]] std::string explained(std::uint16_t code, std::string_view text, const Asked& asked);

/// The server's own limit when the text says that a message was larger than it, else 0.
[[nodiscard]] std::uint64_t message_limit_in(std::string_view text);

}  // namespace rabbitmq
