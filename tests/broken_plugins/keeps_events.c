// An event is read after its completion.
#include "broken.h"

static sluice_status keep(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)error;
  const char* text = SLUICE_EVENT(batch, 0)->text;
  *taken = batch->count;
  node->host->complete(node->host, batch->ticket, batch->count, NULL);
  volatile char sink = *(const volatile char*)text;
  (void)sink;
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "keeps_events", good_create, keep);
BROKEN_MODULE(broken)
