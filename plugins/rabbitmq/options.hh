// What source and backend were told, checked. The schemas have seen to types, bounds and defaults.
#pragma once

#include "access.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/envelope.hh>
#include <sluice/cpp/template.hh>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rabbitmq {

struct BackendOptions {
  Access access;
  Exchange exchange;  // an empty name is the server's default exchange, which is always there
  sluice::Template routing_key;
  bool mandatory = true, persistent = true, binary = false;
  sluice::Envelope format = sluice::Envelope::cloudevents;
  std::string header_prefix, app_id;
  std::string letter_queue;             // keeps the dead letters that are published here; empty: not one, or not known
  std::uint32_t window = 0;             // events that may be unconfirmed
  std::uint64_t message_bytes_max = 0;  // longer ones are rejected here: the server would close the channel
};

/// A queue that is read once, up to what it held at the start.
enum class Once { no, look, take };

struct SourceOptions {
  Access access;
  Queue queue;
  bool quorum = false;  // the queue counts deliveries
  std::optional<Exchange> exchange, dead_letter_exchange;
  std::optional<Queue> dead_letter_queue;
  std::vector<std::string> bindings;
  std::uint32_t prefetch = 0;
  Once once = Once::no;
  std::uint32_t retries_max = 0;  // after the first try; only where there is a dead-letter exchange
  std::chrono::milliseconds retry_delay{};
  bool dead_letters = false;  // rejecting does not throw the message away
};

/// Both throw sluice::BadConfig. `node` is shown by the server's tools.
[[nodiscard]] BackendOptions read_backend_options(sluice::ConfigView config, std::string_view node);
[[nodiscard]] SourceOptions read_source_options(sluice::ConfigView config, std::string_view node);

}  // namespace rabbitmq
