// Module redis_streams: events from and into Redis streams.
#include "backend.hh"
#include "range_source.hh"
#include "source.hh"

extern "C" const char schema_backend_json[];
extern "C" const char schema_range_json[];
extern "C" const char schema_source_json[];

SLUICE_MODULE(sluice::source<redis_streams::Source>(
                  {.name = "redis_streams",
                   .version = "1.0.0",
                   .summary = "Reads a Redis stream as a member of a consumer group (XREADGROUP, XACK).",
                   .schema = schema_source_json}),
              sluice::source<redis_streams::RangeSource>(
                  {.name = "redis_range",
                   .version = "1.0.0",
                   .summary = "Reads a Redis stream once, without a group, and ends (XRANGE): for replays.",
                   .schema = schema_range_json,
                   .flags = SLUICE_IN_ORDER}),
              sluice::backend<redis_streams::Backend>(
                  {.name = "redis_streams",
                   .version = "1.0.0",
                   .summary = "Adds each event to a Redis stream (XADD), pipelined over one connection.",
                   .schema = schema_backend_json}))
