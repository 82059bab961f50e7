// A consumer judges events (inline, one verdict each) or watches them (observer, on a lane of its own).
#pragma once

#include "writer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {                     // a verdict: 0..252 are output ports, 0 being the plain "passes"
  SLUICE_TO_REFUSE = 253,  // its run is halted: the source is told so with the halt's text; nothing is dead-lettered
  SLUICE_TO_REJECT = 254,
  SLUICE_TO_DROP = 255,
};

enum {              // sluice_batch.flags
  SLUICE_KEPT = 1,  // observer: the host keeps these on disk until process() took them, also over a restart
};

typedef struct sluice_consumer {
  uint32_t size, reserved;
  // Inline: verdict[i] arrives as 0, which passes the event on; new events go to out, behind the batch.
  // Observer: verdict is null; out is null unless the class says SLUICE_EMITS. It may block, on its own lane.
  // AWAY: it took nothing of the batch; the same events come again later, and what does not fit behind them waits on
  // disk (SLUICE_KEPT) or is dropped by the host and counted.
  // host->explain() gives the reason of a reject or refusal. HALT: verdicts and out of this call still count (the
  // events after the one that halted are TO_REFUSE), the error text says why, the run drains and ends with exit 3.
  SLUICE_INLINE sluice_status (*process)(sluice_node*, const sluice_batch* in, uint8_t* verdict, sluice_writer* out,
                                         sluice_error*);
  // Optional. Timers. Called in host time; returns in how many ms it wants to be called again, 0 = after the next
  // batch.
  SLUICE_INLINE uint32_t (*tick)(sluice_node*, uint64_t now_ns, sluice_writer* out);
  // Optional. The final outcome (SLUICE_WAS_...) of events that this consumer passed, by seq.
  SLUICE_INLINE void (*settled)(sluice_node*, const uint64_t* seq, const uint8_t* outcome, uint32_t count);
} sluice_consumer;

#ifdef __cplusplus
}
#endif
