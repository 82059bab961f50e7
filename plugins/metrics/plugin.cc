// Module metrics: counts of what passed, for /metrics and for the summary at the end.
#include "metrics.hh"

extern "C" const char schema_json[];

SLUICE_MODULE(sluice::consumer<metrics::Metrics>(
    {.name = "metrics",
     .version = "1.0.0",
     .summary = "Counts events by type, success rate, throughput and numeric fields.",
     .schema = schema_json,
     .flags = SLUICE_OBSERVER}))
