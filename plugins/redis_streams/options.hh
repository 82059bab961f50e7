// What the nodes were told, checked. The schemas have seen to types, bounds and defaults.
#pragma once

#include "address.hh"

#include <sluice/cpp/config_view.hh>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redis_streams {

/// How to get to the server. With Sentinel, the address' user, password and database count, and its host does not.
struct Endpoint {
  Address address;
  std::vector<Address> sentinels;  // asked in turn where the primary is; empty: address is the server
  std::string sentinel_primary;    // the name that the sentinels know it by
  TlsFiles tls;

  /// For people: without user and password.
  [[nodiscard]] std::string shown() const;
};

struct BackendOptions {
  Endpoint endpoint;
  std::string stream, field, key_prefix;
  std::uint64_t max_len = 0;            // 0 = never trimmed by length
  std::chrono::seconds ttl{0};          // 0 = never trimmed by age
  std::chrono::milliseconds timeout{};  // for a connection, and for the next answer while some are owed
  std::uint32_t window = 0;             // events that may be unanswered
  std::uint64_t event_bytes_max = 0;    // a longer event is rejected
};

struct SourceOptions {
  Endpoint endpoint;
  std::string stream, group, consumer, field;
  std::uint32_t batch_size = 0;
  std::uint32_t in_flight_max = 0;            // entries that the host has or that wait for it
  std::chrono::milliseconds poll_interval{};  // how long the server may sit on a read while nothing comes
  std::chrono::milliseconds timeout{};        // for a connection, and for an answer that is owed
  std::chrono::milliseconds retry{};          // 0 = what was not delivered is left to the next start
  std::chrono::milliseconds claim_idle{};     // 0 = nothing is taken over from other consumers
  std::uint64_t deliveries_max = 0;           // 0 = no bound
  bool stop_at_end = false;
  bool process_backlog = false;
  std::uint32_t backlog_batch_size = 0;
  std::chrono::milliseconds backlog_age_max{0};  // 0 = no bound
};

struct RangeOptions {
  Endpoint endpoint;
  std::string stream, field;
  std::string checkpoint;  // a file; empty: none
  bool delete_delivered = false;
  std::chrono::milliseconds timeout{};  // for a connection, and for an answer
};

/// Throw sluice::BadConfig.
[[nodiscard]] BackendOptions read_backend_options(sluice::ConfigView config);
[[nodiscard]] RangeOptions read_range_options(sluice::ConfigView config);
/// `node`: the node's name, part of the consumer's name when none is given.
[[nodiscard]] SourceOptions read_source_options(sluice::ConfigView config, std::string_view node);

}  // namespace redis_streams
