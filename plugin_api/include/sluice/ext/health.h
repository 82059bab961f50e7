// Host service "sluice.health/1", for an observer with a far side of its own: what /health says of the node between two
// batches. What process() answers is about a batch; whoever sends from a thread of its own learns otherwise.
#pragma once

#include "../types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_HEALTH "sluice.health/1"

typedef struct sluice_health {
  uint32_t size, reserved;
  // SLUICE_AWAY with a reason for people: the node is shown as away until SLUICE_OK is said. Other values are ignored.
  // The events go on coming. To be said once per change.
  SLUICE_ANY void (*report)(const sluice_host*, sluice_status, sluice_str reason);
} sluice_health;

#ifdef __cplusplus
}
#endif
