// Module rabbitmq: events out of queues and into exchanges.
#include "backend.hh"
#include "source.hh"

extern "C" {
extern const char schema_source_json[];
extern const char schema_backend_json[];
}

SLUICE_MODULE(
    sluice::source<rabbitmq::Source>({.name = "rabbitmq",
                                      .version = "1.0.0",
                                      .summary = "Takes events from a RabbitMQ queue and acknowledges them when "
                                                 "they are settled.",
                                      .schema = schema_source_json}),
    sluice::backend<rabbitmq::Backend>({.name = "rabbitmq",
                                        .version = "1.0.0",
                                        .summary = "Publishes each event to a RabbitMQ exchange, with "
                                                   "publisher confirms in bulk.",
                                        .schema = schema_backend_json}))
