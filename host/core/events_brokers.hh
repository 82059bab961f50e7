// The documents' brokers in the `events:` dialect: defaults of their full schema, and what of their keys is the host's
// (retries). Pure.
#pragma once

#include "core/document.hh"

namespace sluice {

/// `retries` counts tries after the first and goes to `retry`.
void kafka_defaults(Value& config, Value& retry, const Value& where, Problems& problems);
void nats_defaults(Value& config, const Value& where, Problems& problems);
/// `routed_by_type`: the exchange came from RABBITMQ_EXCHANGE, whose document routes each event by its type.
void rabbitmq_defaults(Value& config, bool routed_by_type, const Value& where);

}  // namespace sluice
