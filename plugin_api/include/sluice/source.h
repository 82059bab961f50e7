// A source takes events in and is told, record by record, what became of them.
#pragma once

#include "writer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {  // sluice_settlement.outcome: the worst that happened to the record's events
  SLUICE_WAS_DELIVERED = 0,
  SLUICE_WAS_DROPPED = 1,    // on purpose: a filter, or nobody wanted it
  SLUICE_WAS_REJECTED = 2,   // permanent: not an event, or refused by a consumer or a backend
  SLUICE_NOT_DELIVERED = 3,  // leave it unacknowledged, so that it can come again
};

enum {  // sluice_settlement.code when no protocol code applies; protocol codes (HTTP 100..599, Kafka < 0) stand as they
        // are
  SLUICE_CODE_NONE = 0,
  SLUICE_CODE_HALTED = 10001,       // the run is halted; reason is the halt's text
  SLUICE_CODE_UNDECODABLE = 10002,  // not a valid event
  SLUICE_CODE_TOO_LARGE = 10003,
  SLUICE_CODE_FULL = 10004,      // a queue was full and its policy sheds
  SLUICE_CODE_STOPPING = 10005,  // the host is stopping
};

// One record is final.
typedef struct sluice_settlement {
  uint64_t tag;
  uint32_t outcome;
  int32_t code;
  sluice_str reason;  // for those who can be told; valid for the call
} sluice_settlement;

typedef struct sluice_source {
  uint32_t size, reserved;
  // Never blocks: hand over what is there. AGAIN: nothing now; poll() or wake() brings the next call.
  SLUICE_LANE sluice_status (*pull)(sluice_node*, sluice_writer* out, sluice_error*);
  // Each record exactly once, as it becomes final; in pull order when the class says SLUICE_IN_ORDER.
  SLUICE_LANE void (*settle)(sluice_node*, const sluice_settlement*, uint32_t count, uint32_t stride);
} sluice_source;

#ifdef __cplusplus
}
#endif
