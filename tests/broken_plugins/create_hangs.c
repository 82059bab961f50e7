// create() never returns.
#include "broken.h"

#include <unistd.h>

static sluice_status hanging_create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                                    sluice_error* error) {
  (void)host, (void)config, (void)node, (void)error;
  for (;;) pause();
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "create_hangs", hanging_create, good_publish);
BROKEN_MODULE(broken)
