// Every event is completed twice.
#include "broken.h"

static sluice_status twice(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)error;
  *taken = batch->count;
  node->host->complete(node->host, batch->ticket, batch->count, NULL);
  node->host->complete(node->host, batch->ticket, batch->count, NULL);
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "completes_twice", good_create, twice);
BROKEN_MODULE(broken)
