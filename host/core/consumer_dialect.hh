// The requirement documents' `event_consumer:` lowered to the native format: source, filter, dedup, hand-over, handler,
// dead letters. Pure.
#pragma once

#include "core/config.hh"
#include "core/interpolate.hh"

namespace sluice {

/// Adds its nodes to `native` (whose sources, consumers and backends are maps). The result's node is empty when it is
/// not enabled.
[[nodiscard]] EventConsumer lower_consumer(const Value& root, const Surroundings& surroundings, Value& native,
                                           Problems& problems);

}  // namespace sluice
