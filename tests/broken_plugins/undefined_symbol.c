// A function that no library has.
#include "broken.h"

extern int nobody_has_this_function(void);
static sluice_status lost(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  if (nobody_has_this_function() != 0) return SLUICE_FAILED;
  return good_publish(node, batch, taken, error);
}
BROKEN_BACKEND(broken, "undefined_symbol", good_create, lost);
BROKEN_MODULE(broken)
