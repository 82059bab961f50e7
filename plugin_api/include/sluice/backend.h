// A backend publishes events. Queueing, retry, breaker, rate limit and dead letters are the host's.
#pragma once

#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

// How a delivery ended. A null pointer to it means SLUICE_OK.
typedef struct sluice_result {
  uint32_t size, retry_after_ms;  // with AGAIN or AWAY: not before; 0 = the host's own back-off
  sluice_status status;
  int32_t code;       // the protocol's own: an HTTP status, a Kafka error
  sluice_str reason;  // copied before the call returns
} sluice_result;

typedef struct sluice_backend {
  uint32_t size, reserved;
  // Take a prefix: set *taken (it arrives as 0). Taken events carry the tickets batch->ticket, +1, +2 …: a node's
  // tickets rise by one per event taken, across calls, and are never reused (a retry gets a new one). Each is
  // completed exactly once, in any order, even before this returns; its memory stays until then.
  // OK and less than count: full; offered again after the next completion, poll() or wake(); at once if one came
  // inside. AWAY: the host backs off; an outage counts once for the breaker, and no event is charged.
  SLUICE_LANE sluice_status (*publish)(sluice_node*, const sluice_batch*, uint32_t* taken, sluice_error*);
  // Optional. No more is coming for now: send what is held back (a linger, a half-full request). Must not block.
  SLUICE_LANE void (*flush)(sluice_node*);
} sluice_backend;

#ifdef __cplusplus
}
#endif
