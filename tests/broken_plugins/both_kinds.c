// Nothing is wrong with this one either: one name for a backend and a consumer, as brokers have one for source and
// backend.
#include "broken.h"

static sluice_status pass_all(sluice_node* node, const sluice_batch* in, uint8_t* verdict, sluice_writer* out,
                              sluice_error* error) {
  (void)node;
  (void)out;
  (void)error;
  memset(verdict, 0, in->count);
  return SLUICE_OK;
}

BROKEN_BACKEND(as_backend, "both_kinds", good_create, good_publish);
BROKEN_CONSUMER(as_consumer, "both_kinds", pass_all);
static const sluice_class* const both[] = {&as_backend, &as_consumer};
SLUICE_MODULE_TABLE(both, 2)
