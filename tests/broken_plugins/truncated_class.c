// A class table that ends before destroy().
#include "broken.h"

static const sluice_backend table = {sizeof(sluice_backend), 0, good_publish, NULL};
static const sluice_class broken = {
    .size = offsetof(sluice_class, stop),
    .name = "truncated_class",
    .version = "1.0.0",
    .summary = "Broken on purpose.",
    .config_schema = BROKEN_SCHEMA,
    .backend = &table,
    .create = good_create,
    .destroy = good_destroy,
};
BROKEN_MODULE(broken)
