// Module redis_streams: events into Redis streams.
#include "backend.hh"

extern "C" const char schema_json[];

SLUICE_MODULE(sluice::backend<redis_streams::Backend>(
    {.name = "redis_streams",
     .version = "1.0.0",
     .summary = "Adds each event to a Redis stream (XADD), pipelined over one connection.",
     .schema = schema_json}))
