// Module nats: events into and out of NATS, with JetStream and without.
#include "backend.hh"

extern "C" const char schema_backend_json[];

SLUICE_MODULE(sluice::backend<nats::Backend>(
    {.name = "nats",
     .version = "1.0.0",
     .summary = "Publishes each event to a NATS subject, acknowledged by a JetStream stream or by the server.",
     .schema = schema_backend_json}))
