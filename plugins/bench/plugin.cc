// Module bench: deterministic load, and a place to send it.
#include "generate.hh"
#include "null.hh"

extern "C" const char generate_schema_json[];
extern "C" const char null_schema_json[];

SLUICE_MODULE(
    sluice::source<bench::Generate>({.name = "generate",
                                     .version = "1.0.0",
                                     .summary = "The same CloudEvents every time, at a rate or at full speed.",
                                     .schema = generate_schema_json,
                                     .flags = SLUICE_CANNOT_HOLD}),
    sluice::backend<bench::Null>({.name = "null",
                                  .version = "1.0.0",
                                  .summary = "Takes every event and forgets it.",
                                  .schema = null_schema_json}))
