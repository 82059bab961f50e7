// Module bench: deterministic load, and a place to send it.
#include "null.hh"

SLUICE_MODULE(sluice::backend<bench::Null>({.name = "null", .version = "1.0.0", .summary = "Takes every event and forgets it.", .schema = R"({"type":"object","additionalProperties":false,"properties":{}})"}))
