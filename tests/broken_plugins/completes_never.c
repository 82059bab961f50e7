// Events are taken and never heard of again.
#include "broken.h"

static sluice_status never(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)node, (void)error;
  *taken = batch->count;
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "completes_never", good_create, never);
BROKEN_MODULE(broken)
