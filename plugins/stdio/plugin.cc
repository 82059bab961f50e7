// Module stdio: events in from standard input, events out to standard output.
#include "stdin_source.hh"
#include "stdout_backend.hh"

extern "C" const char stdin_schema_json[];
extern "C" const char stdout_schema_json[];

SLUICE_MODULE(
    sluice::source<stdio_plugin::StdinSource>({.name = "stdin",
                                               .version = "1.0.0",
                                               .summary = "Events from standard input: JSON lines and JSON arrays.",
                                               .schema = stdin_schema_json,
                                               .flags = SLUICE_CANNOT_HOLD}),
    sluice::backend<stdio_plugin::StdoutBackend>({.name = "stdout",
                                                  .version = "1.0.0",
                                                  .summary = "Events to standard output, one per line.",
                                                  .schema = stdout_schema_json}))
