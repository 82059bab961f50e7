// create() says OK and makes nothing.
#include "broken.h"

static sluice_status empty_create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                                  sluice_error* error) {
  (void)host, (void)config, (void)node, (void)error;
  return SLUICE_OK;
}
BROKEN_BACKEND(broken, "create_without_node", empty_create, good_publish);
BROKEN_MODULE(broken)
