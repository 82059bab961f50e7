// Class extension "sluice.wants/1" of an observer: the event types that a node's configuration can use at all. What is
// of no other type is not shown to it, and takes no room in its queue, on disk or in memory.
#pragma once

#include "../types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_WANTS "sluice.wants/1"

typedef struct sluice_wants {
  uint32_t size, reserved;
  // How many patterns, as in a filter's `types` (* any run, ? one character); *patterns lives until destroy(). 0: every
  // event. An event that one of them fits may come or be picked out by the node itself; one that none fits does not
  // come. Called once, after create() and before start().
  SLUICE_CONTROL uint32_t (*types)(sluice_node*, const sluice_str** patterns);
} sluice_wants;

#ifdef __cplusplus
}
#endif
