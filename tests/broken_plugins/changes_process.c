// create() changes what belongs to the whole process.
#include "broken.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static sluice_status meddling_create(const sluice_host* host, const sluice_config* config, sluice_node** node,
                                     sluice_error* error) {
  signal(SIGPIPE, SIG_DFL);
  signal(SIGUSR1, SIG_IGN);
  umask(0);
  if (chdir("/") != 0) return SLUICE_FAILED;
  setenv("SLUICE_BROKEN", "1", 1);
  return good_create(host, config, node, error);
}
BROKEN_BACKEND(broken, "changes_process", meddling_create, good_publish);
BROKEN_MODULE(broken)
