// Module metrics: counts of what passed, for /metrics and for the summary at the end; figures over windows of time.
#include "aggregate.hh"
#include "metrics.hh"

extern "C" const char schema_json[];
extern "C" const char aggregate_schema_json[];

SLUICE_MODULE(sluice::consumer<metrics::Metrics>(
                  {.name = "metrics",
                   .version = "1.0.0",
                   .summary = "Counts events by type, success rate, throughput and numeric fields.",
                   .schema = schema_json,
                   .flags = SLUICE_OBSERVER}),
              sluice::consumer<metrics::Aggregate>(
                  {.name = "aggregate",
                   .version = "1.0.0",
                   .summary = "Count, rate, mean and percentiles over windows, by type and one label, as events too.",
                   .schema = aggregate_schema_json,
                   .flags = SLUICE_EMITS}))
