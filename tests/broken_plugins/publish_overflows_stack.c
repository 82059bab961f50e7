// publish() calls itself until the stack ends.
#include "broken.h"

static int deeper(volatile int* depth) {
  volatile char room[4096];
  room[0] = (char)*depth;
  *depth += 1;
  return deeper(depth) + room[0];
}
static sluice_status endless(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)node, (void)batch, (void)error;
  volatile int depth = 0;
  *taken = (uint32_t)deeper(&depth);
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "publish_overflows_stack", good_create, endless);
BROKEN_MODULE(broken)
