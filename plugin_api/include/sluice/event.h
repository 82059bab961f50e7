// The event as plugins see it: a read-only view over memory that the host owns. Nothing is copied on the way through.
#pragma once

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_slice {  // frozen; a range of sluice_event.text
  uint32_t at, len;
} sluice_slice;

// CloudEvents attribute types (CloudEvents 1.0, section "Type System").
enum {
  SLUICE_STRING = 0,
  SLUICE_BOOLEAN = 1,
  SLUICE_INTEGER = 2,
  SLUICE_BINARY = 3,
  SLUICE_URI = 4,
  SLUICE_URI_REF = 5,
  SLUICE_TIMESTAMP = 6,
};

// One context attribute under its bare name (no "ce-"), value in canonical string form. Frozen.
typedef struct sluice_attribute {
  sluice_str name, value;
  uint32_t type, reserved;
} sluice_attribute;

// At least this many readable bytes follow every slice, so that a parser may run past its end (simdjson does).
#define SLUICE_PADDING 64u

enum {                    // sluice_event.flags; bits 16..31 are the host's own
  SLUICE_DATA_BYTES = 1,  // data is not JSON text: raw bytes, or the text of a non-JSON datacontenttype
  SLUICE_SYNTHETIC = 2,   // json was written by the host, not received
  SLUICE_HAS_TIME = 4,
  SLUICE_HAS_DATA = 8,  // data is present (it may be empty bytes, or the JSON text null)
};

// A CloudEvents 1.0 event. Frozen at 128 bytes, two cache lines: the first routes, the second reads.
// Slices are unescaped and lie relative to text. New per-event facts go behind byte 128, reached by the batch's stride.
typedef struct sluice_event {
  const char* text;  // base of every slice
  int64_t time_s;    // `time` in seconds since the Unix epoch, may be negative; see SLUICE_HAS_TIME
  uint64_t seq;      // names the event inside one run; rises per source
  sluice_slice id, source, type, subject;         // len 0 = absent; only subject can be
  uint32_t flags, origin;                         // origin: the host's own; plugins ignore it
  sluice_slice json, data, time;                  // json is never empty: as received, or written by the host
  sluice_slice datacontenttype, dataschema, key;  // key: the partitionkey extension, else empty
  const sluice_attribute* extensions;
  uint32_t extension_count, time_ns;  // time_ns: fraction of time_s, 0..999999999
} sluice_event;

// A dense read-only run of events in host memory. Step by stride, never by sizeof.
typedef struct sluice_batch {
  uint32_t size, count, stride, flags;
  const void* events;
  uint64_t ticket;  // publish() only: event i is ticket + i; see sluice_backend
} sluice_batch;
#define SLUICE_EVENT(b, i) ((const sluice_event*)((const char*)(b)->events + (size_t)(i) * (b)->stride))

#ifdef __cplusplus
}
#endif
