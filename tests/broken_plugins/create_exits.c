// create() calls exit(): no crash, and yet the end of the host.
#include "broken.h"

static sluice_status exiting_create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                                    sluice_error* error) {
  (void)host, (void)config, (void)node, (void)error;
  exit(0);
}
BROKEN_BACKEND(broken, "create_exits", exiting_create, good_publish);
BROKEN_MODULE(broken)
