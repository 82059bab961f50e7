// Host service "sluice.metrics/1": a plugin's own metrics, shown at /metrics with the label node="NAME".
//
// The host hands out cells; the data thread adds to a cell with no call and no lock. A cell lives as long as the node.
#pragma once

#include "../types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_METRICS "sluice.metrics/1"

enum { SLUICE_COUNTER = 0, SLUICE_GAUGE = 1 };

// A counter holds an integer in `count`; a gauge holds a double in `value`. One thread writes a cell.
// Write with a relaxed atomic store (__atomic_store_n, or std::atomic_ref): the host reads from another thread.
typedef union sluice_cell {
  uint64_t count;
  double value;
} sluice_cell;

typedef struct sluice_metrics {
  uint32_t size, reserved;
  // name: Prometheus conventions, without the "sluice_" prefix ("events_by_type_total"); labels: name/value pairs,
  // copied. The same name and labels give the same cell. Null when the node's series bound (1,000) is reached: count it
  // as "other". May lock: call it once per new label value, not per event.
  SLUICE_LANE sluice_cell* (*cell)(const sluice_host*, int32_t kind, sluice_str name, sluice_str help,
                                   const sluice_str* labels, uint32_t label_count);
} sluice_metrics;

#ifdef __cplusplus
}
#endif
