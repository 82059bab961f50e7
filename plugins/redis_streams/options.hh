// What the backend was told, checked. The schema has seen to types, bounds and defaults.
#pragma once

#include "address.hh"

#include <sluice/cpp/config_view.hh>

#include <chrono>
#include <cstdint>
#include <string>

namespace redis_streams {

struct Options {
  Address address;
  std::string stream, field;
  std::uint64_t max_len = 0;            // 0 = never trimmed by length
  std::chrono::seconds ttl{0};          // 0 = never trimmed by age
  std::chrono::milliseconds timeout{};  // for a connection, and for the next answer while some are owed
  std::uint32_t window = 0;             // events that may be unanswered
};

/// Throws sluice::BadConfig.
[[nodiscard]] Options read_options(sluice::ConfigView config);

}  // namespace redis_streams
