// A config schema that is not JSON.
#include "broken.h"

static const sluice_backend table = {sizeof(sluice_backend), 0, good_publish, NULL};
static const sluice_class broken = {
    .size = sizeof(sluice_class),
    .name = "bad_schema",
    .version = "1.0.0",
    .summary = "Broken on purpose.",
    .config_schema = "{\"type\": \"object\", \"properties\": ",
    .backend = &table,
    .create = good_create,
    .destroy = good_destroy,
};
BROKEN_MODULE(broken)
