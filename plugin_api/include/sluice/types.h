// The vocabulary of the Sluice plugin ABI: marks, strings, statuses, errors.
//
// Layout: LP64, little-endian. Text is UTF-8. Numbers have a fixed width; run-time text is (ptr, len) without a
// promised NUL. Durations are relative milliseconds: plugin and host share no clock (see sluice_host.now_ns).
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// How many times fields were appended since v1.0. The major version is in the entry symbol's name.
#define SLUICE_ABI_MINOR 0u

// True when the table that p points to reaches FIELD: the writer may be older than this header.
#define SLUICE_HAS(p, type, field) ((p)->size >= offsetof(type, field) + sizeof(((type*)0)->field))

// Who may call. One mark stands before every function pointer, and the layout test demands it.
// CONTROL, INLINE and LANE calls of one node never overlap, whatever thread they come on.
// With SLUICE_READ_MARKS they become clang annotations, which is how the test reads them.
#ifdef SLUICE_READ_MARKS
#define SLUICE_CONTROL __attribute__((annotate("control")))
#define SLUICE_INLINE __attribute__((annotate("inline")))
#define SLUICE_LANE __attribute__((annotate("lane")))
#define SLUICE_ANY __attribute__((annotate("any")))
#else
#define SLUICE_CONTROL  // may block until its timeout
#define SLUICE_INLINE   // on the data path: must not block
#define SLUICE_LANE     // on the node's own lane: may block until its timeout
#define SLUICE_ANY      // any thread, concurrently, from the start of create() until destroy() returns
#endif

#define SLUICE_EXPORT __attribute__((visibility("default")))

typedef struct sluice_node sluice_node;  // the plugin's state; opaque to the host
typedef struct sluice_host sluice_host;
typedef struct sluice_class sluice_class;
typedef struct sluice_config sluice_config;
typedef struct sluice_writer sluice_writer;

typedef struct sluice_str {  // frozen; valid for the call it is passed to, no NUL promised
  const char* ptr;
  uint64_t len;
} sluice_str;

typedef int32_t sluice_status;  // a value unknown to the reader counts as SLUICE_FAILED
enum {
  SLUICE_OK = 0,         // completed: delivered
  SLUICE_AGAIN = 1,      // completed: failed for now, the host retries and counts an attempt. pull(): nothing now
  SLUICE_REJECTED = 2,   // completed: permanent for this event, the host dead-letters it
  SLUICE_CANCELLED = 3,  // completed: never tried; offered again, no attempt is counted
  SLUICE_TIMEOUT = 4,    // completed: perhaps delivered; offered again, no attempt counted, a possible duplicate is
  SLUICE_BAD_CONFIG = 5,
  SLUICE_UNSUPPORTED = 6,
  SLUICE_FAILED = 7,  // the node is broken: the host stops it; what it holds is retried elsewhere or later
  SLUICE_HALT = 8,    // process() only: stop the run; the error text says why
  SLUICE_END = 9,     // pull() only: nothing more will ever come
  SLUICE_AWAY = 10,   // start, pull, publish, probe: the far side cannot be reached; says nothing about any event.
                      // completed: the same, learned late; offered again, no attempt is counted
};

// A text that the host owns and the plugin fills: at most cap bytes, then set len. Longer text is cut by the writer.
typedef struct sluice_error {
  uint32_t size, cap, len, reserved;
  char* text;
} sluice_error;

#ifdef __cplusplus
}
#endif
