// Class extension "sluice.alerts/1": an observer that sends messages to people, as `sluice alert` drives it. All calls
// are made on a node that was created and not started: a running host is not disturbed.
#pragma once

#include "../event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ALERTS "sluice.alerts/1"

// Where texts for people go.
typedef struct sluice_text_sink {
  uint32_t size, reserved;
  void* arg;
  SLUICE_CONTROL void (*write)(const struct sluice_text_sink*, sluice_str text);
} sluice_text_sink;

typedef struct sluice_alerts {
  uint32_t size, reserved;
  // Sends one message that says it is a test. AWAY or REJECTED with the reason when it was not taken.
  SLUICE_CONTROL sluice_status (*test)(sluice_node*, int32_t timeout_ms, sluice_error*);
  // What would be sent for these events and when, by the events' own times. Null: no more events come.
  SLUICE_CONTROL sluice_status (*render)(sluice_node*, const sluice_batch*, const sluice_text_sink*, sluice_error*);
  // The file in which a running node looks for silences; nothing is written when it keeps none.
  SLUICE_CONTROL sluice_status (*silences)(sluice_node*, const sluice_text_sink*, sluice_error*);
} sluice_alerts;

#ifdef __cplusplus
}
#endif
