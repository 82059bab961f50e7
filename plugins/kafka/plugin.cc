// Module kafka: events into Kafka topics, and out of them.
#include "backend.hh"

extern "C" const char backend_schema_json[];

SLUICE_MODULE(sluice::backend<kafka::Backend>(
    {.name = "kafka",
     .version = "1.0.0",
     .summary = "Produces each event to a Kafka topic, batched and compressed, in order per key.",
     .schema = backend_schema_json}))
