// create() lets an exception out.
#include "broken.h"

#include <stdexcept>

static sluice_status throwing_create(const sluice_host*, const sluice_config*, sluice_node**, sluice_error*) {
  throw std::runtime_error("no wall around this");
}
BROKEN_BACKEND(broken, "create_throws", throwing_create, good_publish);
BROKEN_MODULE(broken)
