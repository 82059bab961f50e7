// An event's text is read beyond its end and padding.
#include "broken.h"

static sluice_status read_on(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  const sluice_event* event = SLUICE_EVENT(batch, 0);
  const volatile char* end = event->text + event->json.at + event->json.len + SLUICE_PADDING;
  volatile char sink = *end;
  (void)sink;
  return good_publish(node, batch, taken, error);
}
BROKEN_BACKEND(broken, "reads_too_far", good_create, read_on);
BROKEN_MODULE(broken)
