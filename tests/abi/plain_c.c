// A backend in plain C: what there is to write without the C++ layer.
#include <sluice/sluice.h>

#include <stdlib.h>

struct sluice_node {
  const sluice_host* host;
};

static sluice_status create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                            sluice_error* error) {
  (void)config, (void)error;
  *node = malloc(sizeof **node);
  if (*node == NULL) return SLUICE_FAILED;
  (*node)->host = host;
  return SLUICE_OK;
}

static void destroy(sluice_node* node) { free(node); }

static sluice_status publish(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)error;
  *taken = batch->count;
  node->host->complete(node->host, batch->ticket, batch->count, NULL);
  return SLUICE_OK;
}

static const sluice_backend backend = {.size = sizeof(sluice_backend), .publish = publish};

static const sluice_class plain_c = {
    .size = sizeof(sluice_class),
    .name = "plain_c",
    .version = "1.0.0",
    .summary = "Takes every event and forgets it, in C.",
    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false}",
    .backend = &backend,
    .create = create,
    .destroy = destroy,
};

static const sluice_class* const classes[] = {&plain_c};
SLUICE_MODULE_TABLE(classes, 1)
