// Host service "sluice.once_keys/1", for a consumer behind a source whose `dedup.once` has a store that hosts share:
// which values of that key were delivered, here or at another host. Null for every other node.
#pragma once

#include "../types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ONCE_KEYS "sluice.once_keys/1"

typedef struct sluice_once_keys {
  uint32_t size, reserved;
  // recorded[i] = 1 when an event whose key is values[i] was delivered and is still known; it arrives as 0. Blocks up
  // to the timeout, so it belongs on a thread of the plugin's own, one call at a time. AWAY: the store cannot be
  // reached.
  SLUICE_ANY sluice_status (*recorded)(const sluice_host*, const sluice_str* values, uint32_t count, uint8_t* recorded,
                                       int32_t timeout_ms, sluice_error*);
} sluice_once_keys;

#ifdef __cplusplus
}
#endif
