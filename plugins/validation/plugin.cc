// Module validation: stops a run whose beginning fails, and warns about one that goes badly.
#include "validation.hh"

extern "C" const char schema_json[];

SLUICE_MODULE(sluice::consumer<validation::Validation>(
    {.name = "validation",
     .version = "1.0.0",
     .summary = "Halts a run that fails early, and warns about a low success rate.",
     .schema = schema_json,
     .flags = SLUICE_EMITS}))
