// destroy() leaves a thread running.
#include "broken.h"

#include <pthread.h>
#include <unistd.h>

static void* forever(void* arg) {
  (void)arg;
  for (;;) pause();
  return NULL;
}
static sluice_status threaded_create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                                     sluice_error* error) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, forever, NULL) != 0) return SLUICE_FAILED;
  return good_create(host, config, node, error);
}
BROKEN_BACKEND(broken, "leaves_thread", threaded_create, good_publish);
BROKEN_MODULE(broken)
