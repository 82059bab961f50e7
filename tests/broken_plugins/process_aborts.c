// process() ends the process.
#include "broken.h"

static sluice_status aborting(sluice_node* node, const sluice_batch* in, uint8_t* verdict, sluice_writer* out,
                              sluice_error* error) {
  (void)node, (void)in, (void)verdict, (void)out, (void)error;
  abort();
}
BROKEN_CONSUMER(broken, "process_aborts", aborting);
BROKEN_MODULE(broken)
