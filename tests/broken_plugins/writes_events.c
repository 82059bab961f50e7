// An event's text is written to.
#include "broken.h"

static sluice_status write_there(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  const sluice_event* event = SLUICE_EVENT(batch, 0);
  ((volatile char*)event->text)[event->json.at] = ' ';
  return good_publish(node, batch, taken, error);
}
BROKEN_BACKEND(broken, "writes_events", good_create, write_there);
BROKEN_MODULE(broken)
