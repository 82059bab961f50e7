// More events are taken than were offered.
#include "broken.h"

static sluice_status greedy(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)error;
  *taken = batch->count + 5;
  node->host->complete(node->host, batch->ticket, batch->count, NULL);
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "takes_too_many", good_create, greedy);
BROKEN_MODULE(broken)
