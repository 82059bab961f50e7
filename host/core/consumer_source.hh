// The source of `event_consumer:`: its keys, the document's defaults, the address in parts or whole. Pure.
#pragma once

#include "core/interpolate.hh"

#include <array>

namespace sluice {

class MapReader;

inline constexpr std::array kConsumerSourceKeys{
    "source_stream",   "consumer_group",     "consumer_name",         "poll_interval_ms", "batch_size",
    "process_backlog", "backlog_batch_size", "backlog_max_age_hours", "redis_url",        "redis_host",
    "redis_port",      "redis_db",           "redis_password"};
inline constexpr std::int64_t kConsumerBatchSize = 10;

/// The config of a redis_streams source, complete. `keys` is the reader of `section`, which is interpolated.
[[nodiscard]] Value consumer_source_config(MapReader& keys, const Value& section, const Surroundings& surroundings,
                                           Problems& problems);

}  // namespace sluice
