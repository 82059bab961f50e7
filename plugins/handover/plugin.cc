// Module handover: what of a stage's events is handed over to the next one, and what is left to its job's batch.
#include "handover.hh"

extern "C" const char schema_json[];

SLUICE_MODULE(sluice::consumer<handover::Handover>(
    {.name = "handover",
     .version = "1.0.0",
     .summary = "Hands a job's documents over as one batch, each single document once, or only logs what it sees.",
     .schema = schema_json}))
