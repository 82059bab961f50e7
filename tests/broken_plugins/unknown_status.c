// publish() answers with a status that does not exist.
#include "broken.h"

static sluice_status odd(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)good_publish(node, batch, taken, error);
  return 4711;
}
BROKEN_BACKEND(broken, "unknown_status", good_create, odd);
BROKEN_MODULE(broken)
