// The error text is said to be longer than its buffer.
#include "broken.h"

static sluice_status chatty(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)node, (void)batch, (void)taken;
  memset(error->text, 'x', error->cap);
  error->len = error->cap * 2;
  return SLUICE_FAILED;
}
BROKEN_BACKEND(broken, "long_error", good_create, chatty);
BROKEN_MODULE(broken)
