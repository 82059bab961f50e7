// publish() lets an exception out.
#include "broken.h"

#include <stdexcept>

static sluice_status throwing(sluice_node*, const sluice_batch*, uint32_t*, sluice_error*) {
  throw std::runtime_error("thrown over the border");
}
BROKEN_BACKEND(broken, "publish_throws", good_create, throwing);
BROKEN_MODULE(broken)
