// The good half of a broken plugin: each file beside this one puts one fault in and takes the rest from here.
#pragma once

#include <sluice/sluice.h>

#include <stdlib.h>
#include <string.h>

struct sluice_node {
  const sluice_host* host;
  void* kept;
};

#define BROKEN_SCHEMA "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{}}"
#define UNUSED __attribute__((unused))

UNUSED static sluice_status good_create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                                        sluice_error* error) {
  (void)config;
  (void)error;
  *node = (sluice_node*)calloc(1, sizeof **node);
  if (*node == NULL) return SLUICE_FAILED;
  (*node)->host = host;
  return SLUICE_OK;
}
UNUSED static void good_destroy(sluice_node* node) { free(node); }
UNUSED static sluice_status good_publish(sluice_node* node, const sluice_batch* batch, uint32_t* taken,
                                         sluice_error* error) {
  (void)error;
  *taken = batch->count;
  node->host->complete(node->host, batch->ticket, batch->count, NULL);
  return SLUICE_OK;
}

// A backend class with chosen create and publish.
#define BROKEN_BACKEND(variable, class_name, create_, publish_)                               \
  static const sluice_backend variable##_table = {sizeof(sluice_backend), 0, publish_, NULL}; \
  static const sluice_class variable = {                                                      \
      .size = sizeof(sluice_class),                                                           \
      .name = class_name,                                                                     \
      .version = "1.0.0",                                                                     \
      .summary = "Broken on purpose.",                                                        \
      .config_schema = BROKEN_SCHEMA,                                                         \
      .backend = &variable##_table,                                                           \
      .create = create_,                                                                      \
      .destroy = good_destroy,                                                                \
  }

#define BROKEN_CONSUMER(variable, class_name, process_)                                               \
  static const sluice_consumer variable##_table = {sizeof(sluice_consumer), 0, process_, NULL, NULL}; \
  static const sluice_class variable = {                                                              \
      .size = sizeof(sluice_class),                                                                   \
      .name = class_name,                                                                             \
      .version = "1.0.0",                                                                             \
      .summary = "Broken on purpose.",                                                                \
      .config_schema = BROKEN_SCHEMA,                                                                 \
      .consumer = &variable##_table,                                                                  \
      .create = good_create,                                                                          \
      .destroy = good_destroy,                                                                        \
  }

#define BROKEN_MODULE(variable)                                   \
  static const sluice_class* const broken_list[] = {&(variable)}; \
  SLUICE_MODULE_TABLE(broken_list, 1)

// A described table with numbers of its own, for the faults that stand in the table itself. The entry follows.
#define BROKEN_TABLE(size_, need_minor_, count_, list_)                                          \
  extern __attribute__((visibility("hidden"))) const sluice_module sluice_module_table_v1;       \
  const sluice_module sluice_module_table_v1 = {size_, need_minor_, need_minor_, count_, list_}; \
  SLUICE_NOTE;
#define BROKEN_ENTRY(symbol, answer)               \
  SLUICE_EXPORT const sluice_module* symbol(void); \
  const sluice_module* symbol(void) { return answer; }
