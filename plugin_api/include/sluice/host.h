// What the host offers to a node. One table per node, alive until destroy() returns.
#pragma once

#include "backend.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {                   // log levels
  SLUICE_LOG_DEBUG = 0,  // per batch at most
  SLUICE_LOG_INFO = 1,   // start, stop, connect
  SLUICE_LOG_WARN = 2,   // odd, but recovered
  SLUICE_LOG_ERROR = 3,  // data lost, or a human must act
};

struct sluice_host {
  uint32_t size, abi_minor;
  void* self;                  // the host's own
  uint32_t replica, replicas;  // see SLUICE_REPLICABLE
  const char* node;            // the node's name in the graph, NUL-ended ("webhook[1]")
  // Extensions of the host, by id ("sluice.metrics/1"); null: not offered. See ext/.
  SLUICE_CONTROL const void* (*service)(const sluice_host*, const char* id);
  // poll() returns, then pull(), publish() or tick() is called again. Never lost, may be merged.
  SLUICE_ANY void (*wake)(const sluice_host*);
  // Completes the tickets [ticket, ticket + count): all the same way, or one status byte each.
  SLUICE_ANY void (*complete)(const sluice_host*, uint64_t ticket, uint32_t count, const sluice_result*);
  SLUICE_ANY void (*complete_each)(const sluice_host*, uint64_t ticket, uint32_t count, const uint8_t* status);
  // Inside process(): why in[index] is rejected or refused. The text is copied.
  SLUICE_INLINE void (*explain)(const sluice_host*, uint32_t index, sluice_str reason);
  SLUICE_ANY uint64_t (*now_ns)(const sluice_host*);    // the lane's monotonic clock; tests step it by hand
  SLUICE_ANY int32_t (*log_level)(const sluice_host*);  // below this level log() does nothing: ask before formatting
  SLUICE_ANY void (*log)(const sluice_host*, int32_t level, sluice_str text);
};

#ifdef __cplusplus
}
#endif
