// A class that is a consumer and a backend at once.
#include "broken.h"

static sluice_status pass(sluice_node* node, const sluice_batch* in, uint8_t* verdict, sluice_writer* out,
                          sluice_error* error) {
  (void)node, (void)in, (void)verdict, (void)out, (void)error;
  return SLUICE_OK;
}
static const sluice_backend backend = {sizeof(sluice_backend), 0, good_publish, NULL};
static const sluice_consumer consumer = {sizeof(sluice_consumer), 0, pass, NULL, NULL};
static const sluice_class broken = {
    .size = sizeof(sluice_class),
    .name = "two_kinds",
    .version = "1.0.0",
    .summary = "Broken on purpose.",
    .config_schema = BROKEN_SCHEMA,
    .consumer = &consumer,
    .backend = &backend,
    .create = good_create,
    .destroy = good_destroy,
};
BROKEN_MODULE(broken)
