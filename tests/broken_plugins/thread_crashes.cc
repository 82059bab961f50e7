// A thread of the plugin's own lets an exception out.
#include "broken.h"

#include <stdexcept>
#include <thread>

static sluice_status start_thread(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  std::thread([] { throw std::runtime_error("nobody catches this"); }).join();
  return good_publish(node, batch, taken, error);
}
BROKEN_BACKEND(broken, "thread_crashes", good_create, start_thread);
BROKEN_MODULE(broken)
