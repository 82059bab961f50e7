// Host service "sluice.filters/1": the host's own filters for a plugin whose rules pick events: exact, prefix, suffix,
// all, any, not, sql and types, as in `when:`.
//
// A filter is compiled under control, matches without locks or allocation, and may be used by several threads.
#pragma once

#include "../event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_FILTERS "sluice.filters/1"

typedef struct sluice_filter sluice_filter;  // the host's own

typedef struct sluice_filters {
  uint32_t size, reserved;
  // From a filter object as JSON, or an array of them that must all hold. BAD_CONFIG, with the path of the bad part in
  // the error; *out stays null. The plugin owns *out until it calls release().
  SLUICE_CONTROL sluice_status (*compile)(const sluice_host*, sluice_str json, sluice_filter** out, sluice_error*);
  SLUICE_ANY int32_t (*matches)(const sluice_filter*, const sluice_event*);
  SLUICE_CONTROL void (*release)(sluice_filter*);
} sluice_filters;

#ifdef __cplusplus
}
#endif
