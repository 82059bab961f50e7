// An observer that writes down the ids it takes, and cannot stand some types: t.abort and t.kill end the process,
// t.fail it fails on. Whoever is shown one of them has written down what came before it in the batch.
#include "broken.h"

#include <signal.h>
#include <stdio.h>

static sluice_status poisoned_create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                                     sluice_error* error) {
  const sluice_status status = good_create(host, config, node, error);
  if (status == SLUICE_OK) (*node)->kept = fopen(config->text(config, "path"), "a");
  if (status != SLUICE_OK || (*node)->kept != NULL) return status;
  good_destroy(*node);
  *node = NULL;
  return SLUICE_BAD_CONFIG;
}

static void poisoned_destroy(sluice_node* node) {
  fclose((FILE*)node->kept);
  good_destroy(node);
}

static int is_of(const sluice_event* event, const char* type) {
  return event->type.len == strlen(type) && memcmp(event->text + event->type.at, type, event->type.len) == 0;
}

static sluice_status poisoned(sluice_node* node, const sluice_batch* in, uint8_t* verdict, sluice_writer* out,
                              sluice_error* error) {
  (void)verdict, (void)out, (void)error;
  FILE* taken = (FILE*)node->kept;
  for (uint32_t i = 0; i < in->count; ++i) {
    const sluice_event* event = SLUICE_EVENT(in, i);
    if (is_of(event, "t.abort")) abort();
    if (is_of(event, "t.kill")) raise(SIGKILL);
    if (is_of(event, "t.fail")) return SLUICE_FAILED;
    fprintf(taken, "%.*s\n", (int)event->id.len, event->text + event->id.at);
    fflush(taken);
  }
  return SLUICE_OK;
}

static const sluice_consumer observer_table = {sizeof(sluice_consumer), 0, poisoned, NULL, NULL};
static const sluice_class observer = {
    .size = sizeof(sluice_class),
    .flags = SLUICE_OBSERVER | SLUICE_DURABLE,
    .name = "poisoned_observer",
    .version = "1.0.0",
    .summary = "Broken on purpose.",
    .config_schema =
        "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"path\"],\"properties\":"
        "{\"path\":{\"type\":\"string\"}}}",
    .consumer = &observer_table,
    .create = poisoned_create,
    .destroy = poisoned_destroy,
};
BROKEN_MODULE(observer)
