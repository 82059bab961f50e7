// A node's configuration as the plugin reads it: checked against the class's schema, defaults filled in, units resolved
// (a duration is milliseconds, a size is bytes), secrets replaced by their values. Valid until create() returns.
#pragma once

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

// A path is keys and list positions joined by '/': "retry/codes/0". A key that holds '/' or '~' is written as in
// RFC 6901 (~1, ~0).
struct sluice_config {
  uint32_t size, reserved;
  sluice_str json;                                                             // the whole as canonical JSON
  SLUICE_CONTROL const char* (*text)(const sluice_config*, const char* path);  // NUL-ended; "" when absent
  SLUICE_CONTROL int64_t (*integer)(const sluice_config*, const char* path);   // true = 1; absent = 0
  SLUICE_CONTROL double (*number)(const sluice_config*, const char* path);     // absent = 0
  SLUICE_CONTROL uint32_t (*count)(const sluice_config*, const char* path);    // members of a list or map
  SLUICE_CONTROL const char* (*name)(const sluice_config*, const char* path, uint32_t i);  // a map's i-th key
  SLUICE_CONTROL int32_t (*has)(const sluice_config*, const char* path);  // 1 when present and not null
};

#ifdef __cplusplus
}
#endif
