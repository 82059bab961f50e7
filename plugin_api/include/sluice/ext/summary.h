// Class extension "sluice.summary/1": lines for the summary that the host prints when it stops.
#pragma once

#include "../types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_SUMMARY "sluice.summary/1"

typedef struct sluice_summary {
  uint32_t size, reserved;
  // Writes UTF-8 lines into text (at most cap bytes) and returns how many bytes. Called once, after stop().
  SLUICE_CONTROL uint32_t (*write)(sluice_node*, char* text, uint32_t cap);
} sluice_summary;

#ifdef __cplusplus
}
#endif
