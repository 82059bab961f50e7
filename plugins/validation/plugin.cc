// Module validation: stops a run whose beginning fails, warns about one that goes badly, and compares data with
// schemas.
#include "json_schema.hh"
#include "validation.hh"

extern "C" const char schema_json[];
extern "C" const char json_schema_json[];

static constexpr const char* kJsonSchemaPorts[] = {"invalid", nullptr};

SLUICE_MODULE(sluice::consumer<validation::Validation>(
                  {.name = "validation",
                   .version = "1.0.0",
                   .summary = "Halts a run that fails early, and warns about a low success rate.",
                   .schema = schema_json,
                   .flags = SLUICE_EMITS}),
              sluice::consumer<validation::JsonSchema>({.name = "json_schema",
                                                        .version = "1.0.0",
                                                        .summary = "Compares the data of events with JSON Schemas.",
                                                        .schema = json_schema_json,
                                                        .flags = SLUICE_EMITS,
                                                        .ports = kJsonSchemaPorts}))
