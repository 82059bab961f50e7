// Module nats: events into and out of NATS, with JetStream and without.
#include "backend.hh"
#include "core_source.hh"
#include "source.hh"

extern "C" const char schema_backend_json[];
extern "C" const char schema_source_json[];
extern "C" const char schema_core_json[];

SLUICE_MODULE(
    sluice::backend<nats::Backend>(
        {.name = "nats",
         .version = "1.0.0",
         .summary = "Publishes each event to a NATS subject, acknowledged by a JetStream stream or by the server.",
         .schema = schema_backend_json}),
    sluice::source<nats::Source>({.name = "nats",
                                  .version = "1.0.0",
                                  .summary = "Reads a JetStream stream with a durable pull consumer.",
                                  .schema = schema_source_json}),
    sluice::source<nats::CoreSource>({.name = "nats_core",
                                      .version = "1.0.0",
                                      .summary = "Listens to a NATS subject, alone or in a queue group.",
                                      .schema = schema_core_json,
                                      .flags = SLUICE_CANNOT_HOLD}))
