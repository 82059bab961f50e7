// Class extension "sluice.key_store/1" of a class: a set of keys with a time to live, kept outside the host. Hosts that
// share it recognise each other's duplicates. The host makes a node of the class for this alone: it is started, asked,
// stopped and destroyed, and neither publish() nor pull() is ever called on it.
#pragma once

#include "../types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_KEY_STORE "sluice.key_store/1"

typedef struct sluice_key_store {
  uint32_t size, reserved;
  // present[i] = 1 when keys[i] was recorded and has not expired; it arrives as 0. May block up to the timeout.
  // AWAY: asked again later, the events wait.
  SLUICE_LANE sluice_status (*lookup)(sluice_node*, const sluice_str* keys, uint32_t count, uint8_t* present,
                                      int32_t timeout_ms, sluice_error*);
  // Records the keys for ttl_ms (0: without end). Recording a key again starts its time anew. All or none: on any
  // answer but OK the host records the same keys again.
  SLUICE_LANE sluice_status (*record)(sluice_node*, const sluice_str* keys, uint32_t count, uint64_t ttl_ms,
                                      int32_t timeout_ms, sluice_error*);
  // Both or neither. Claims make one of several hosts go on that ask for a key at the same moment: taken[i] = 1 when
  // keys[i] is claimed by another owner than owners[i]; it arrives as 0. Where there is no claim one is made, for
  // ttl_ms (0: without end). The same owner may claim again, from any host: an event that comes again after a crash
  // finds its own.
  SLUICE_LANE sluice_status (*claim)(sluice_node*, const sluice_str* keys, const sluice_str* owners, uint32_t count,
                                     uint64_t ttl_ms, uint8_t* taken, int32_t timeout_ms, sluice_error*);
  // Ends these owners' claims; another owner's stays.
  SLUICE_LANE sluice_status (*release)(sluice_node*, const sluice_str* keys, const sluice_str* owners, uint32_t count,
                                       int32_t timeout_ms, sluice_error*);
} sluice_key_store;

#ifdef __cplusplus
}
#endif
