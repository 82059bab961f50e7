// Getting to the server that takes writes, also where only Sentinel knows which one that is.
#pragma once

#include "client.hh"
#include "options.hh"

#include <chrono>
#include <memory>

namespace redis_streams {

/// Throws sluice::Away with a text for people.
[[nodiscard]] std::unique_ptr<Connection> connect_to(const Endpoint& endpoint, std::chrono::milliseconds timeout);

}  // namespace redis_streams
