// publish() writes to address 0x10.
#include "broken.h"

static sluice_status crash(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)node, (void)batch, (void)taken, (void)error;
  *(volatile int*)0x10 = 1;
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "publish_segfaults", good_create, crash);
BROKEN_MODULE(broken)
