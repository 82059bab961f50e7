// A ticket that was never given is completed.
#include "broken.h"

static sluice_status beyond(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)error;
  *taken = batch->count;
  node->host->complete(node->host, batch->ticket, batch->count, NULL);
  node->host->complete(node->host, batch->ticket + 1000000, 1, NULL);
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "completes_out_of_range", good_create, beyond);
BROKEN_MODULE(broken)
