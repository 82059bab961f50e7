// Module sql: what events say, as rows of a table.
#include "metrics_sql.hh"

extern "C" const char schema_json[];

SLUICE_MODULE(sluice::consumer<sql::MetricsSql>({.name = "metrics_sql",
                                                 .version = "1.0.0",
                                                 .summary = "Writes rows of events' fields into SQLite or PostgreSQL.",
                                                 .schema = schema_json,
                                                 .flags = SLUICE_OBSERVER}))
