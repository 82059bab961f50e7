// Class extension "sluice.input_size/1": how much a source will hand over before it ends, so that a long run can say
// how much time is left.
#pragma once

#include "../types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_INPUT_SIZE "sluice.input_size/1"

typedef struct sluice_input_size {
  uint32_t size, reserved;
  // The bytes of all records from now until SLUICE_END; 0 when that is not known. Called once, after start().
  SLUICE_CONTROL uint64_t (*bytes)(sluice_node*);
} sluice_input_size;

#ifdef __cplusplus
}
#endif
