// create() ends the process.
#include "broken.h"

static sluice_status aborting_create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                                     sluice_error* error) {
  (void)host, (void)config, (void)node, (void)error;
  abort();
}
BROKEN_BACKEND(broken, "create_aborts", aborting_create, good_publish);
BROKEN_MODULE(broken)
