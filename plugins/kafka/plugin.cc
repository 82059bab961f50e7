// Module kafka: events into Kafka topics, and out of them.
#include "backend.hh"
#include "source.hh"

extern "C" const char schema_backend_json[], schema_source_json[];

SLUICE_MODULE(
    sluice::source<kafka::Source>(
        {.name = "kafka",
         .version = "1.0.0",
         .summary = "A member of a Kafka consumer group: commits what is settled, in order per partition.",
         .schema = schema_source_json}),
    sluice::backend<kafka::Backend>({.name = "kafka",
                                     .version = "1.0.0",
                                     .summary = "Produces each event to a Kafka topic, batched, in order per key.",
                                     .schema = schema_backend_json}))
