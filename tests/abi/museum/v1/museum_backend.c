// Museum piece: a backend in plain C of the day the layout was sealed. It takes a few events at a time, appends each as
// a line to a file, and completes them later, in poll(): one by one, as a range, and by status bytes.
#include <sluice/sluice.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 7 };

struct sluice_node {
  const sluice_host* host;
  FILE* file;
  uint64_t first;
  uint32_t open, round;
};

static void say(sluice_error* error, const char* text) {
  if (error == NULL || error->text == NULL) return;
  const size_t length = strlen(text);
  error->len = (uint32_t)(length < error->cap ? length : error->cap);
  memcpy(error->text, text, error->len);
}

static sluice_status create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                            sluice_error* error) {
  sluice_node* made = calloc(1, sizeof *made);
  if (made == NULL) return SLUICE_FAILED;
  made->host = host;
  const char* path = config->text(config, "path");
  made->file = path[0] == '\0' ? tmpfile() : fopen(path, "a");
  if (made->file == NULL) {
    say(error, "path: cannot be opened");
    free(made);
    return SLUICE_BAD_CONFIG;
  }
  *node = made;
  return SLUICE_OK;
}

static void finish(sluice_node* node) {
  const sluice_host* host = node->host;
  if (node->open == 0) return;
  fflush(node->file);
  switch (node->round++ % 3) {
    case 0:
      for (uint32_t i = 0; i < node->open; ++i) host->complete(host, node->first + i, 1, NULL);
      break;
    case 1:
      host->complete(host, node->first, node->open, NULL);
      break;
    default: {
      const uint8_t status[ROOM] = {0};
      host->complete_each(host, node->first, node->open, status);
    }
  }
  node->open = 0;
}

static sluice_status publish(sluice_node* node, const sluice_batch* batch, uint32_t* taken, sluice_error* error) {
  (void)error;
  if (node->open > 0) return SLUICE_OK;  // full until poll()
  node->first = batch->ticket;
  for (uint32_t i = 0; i < batch->count && i < ROOM; ++i) {
    const sluice_event* event = SLUICE_EVENT(batch, i);
    fwrite(event->text + event->json.at, 1, event->json.len, node->file);
    fputc('\n', node->file);
    ++*taken;
  }
  node->open = *taken;
  return SLUICE_OK;
}

static sluice_status wait_a_little(sluice_node* node, int32_t wake_fd, int32_t timeout_ms, uint32_t room) {
  (void)room;
  if (node->open > 0) {
    finish(node);
    return SLUICE_OK;
  }
  struct pollfd one = {.fd = wake_fd, .events = POLLIN};
  if (timeout_ms != 0) (void)poll(&one, 1, timeout_ms);
  return SLUICE_OK;
}

static sluice_status stop(sluice_node* node, int32_t timeout_ms, sluice_error* error) {
  (void)timeout_ms, (void)error;
  finish(node);
  return SLUICE_OK;
}

static void destroy(sluice_node* node) {
  fclose(node->file);
  free(node);
}

static const sluice_backend backend = {.size = sizeof(sluice_backend), .publish = publish};

static const sluice_class museum_backend = {
    .size = sizeof(sluice_class),
    .name = "museum_backend",
    .version = "1.0.0",
    .summary = "Lines in a file, in C.",
    .config_schema =
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"properties\":{\"path\":{\"type\":\"string\",\"default\":\"\"}}}",
    .backend = &backend,
    .create = create,
    .poll = wait_a_little,
    .stop = stop,
    .destroy = destroy,
};

static const sluice_class* const classes[] = {&museum_backend};
SLUICE_MODULE_TABLE(classes, 1)
