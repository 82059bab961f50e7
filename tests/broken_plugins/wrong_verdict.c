// process() answers with an output port that the class does not have.
#include "broken.h"

static sluice_status wrong(sluice_node* node, const sluice_batch* in, uint8_t* verdict, sluice_writer* out,
                           sluice_error* error) {
  (void)node, (void)out, (void)error;
  if (verdict != NULL) memset(verdict, 77, in->count);
  return SLUICE_OK;
}
BROKEN_CONSUMER(broken, "wrong_verdict", wrong);
BROKEN_MODULE(broken)
