// A module is one .so; it offers classes; a node is one configured instance of a class.
#pragma once

#include "config.h"
#include "consumer.h"
#include "host.h"
#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {                      // sluice_class.flags: what the class promises or asks for
  SLUICE_REENTRANT = 1,     // process() may run on several source lanes at once
  SLUICE_OBSERVER = 2,      // a consumer on its own lane: watches, never delays delivery
  SLUICE_EMITS = 4,         // a consumer that writes events to out
  SLUICE_IN_ORDER = 8,      // a source settled in pull order (a file position, a Kafka offset)
  SLUICE_REPLICABLE = 16,   // one config may be created several times (host->replica): one lane each
  SLUICE_CANNOT_HOLD = 32,  // a source that cannot be asked again (standard input): what is left undelivered at the
                            // drain deadline is written to a dead-letter file by the host
  SLUICE_KEEPS_ORDER = 64,  // a backend: what publish() took reaches the far side in that order and is completed in
                            // it, and of what it has when it completes one as failed, none that was taken behind that
                            // one succeeds. Without it `ordering: key` lets one event of a key be under way at a time
  SLUICE_DURABLE = 128,     // an observer that must see every event: its queue is on disk unless `queue: lossy` says
                            // otherwise, and what was there before a kill is shown to it again, process() by process()
};

struct sluice_class {
  uint32_t size, flags;
  const char *name, *version, *summary;
  const char* config_schema;    // JSON Schema (draft 7 keywords), checked before create(). Sluice's own keywords:
                                //   "x-unit": "ms" | "bytes"  the user may write 30s or 16MiB, the node gets the number
                                //   "writeOnly": true         a secret: never printed
                                //   "x-fan-out": true         a list: the host makes one node and lane per element
  const char* const* ports;     // a consumer's output port names beyond port 0, null-ended: ports[0] is port 1
  const sluice_source* source;  // a class is exactly one of the three; a source and a backend may have the same name
  const sluice_consumer* consumer;
  const sluice_backend* backend;
  // No I/O: allocate and read the config. On failure *node stays null.
  SLUICE_CONTROL sluice_status (*create)(const sluice_host*, const sluice_config*, sluice_node**, sluice_error*);
  // Optional. Connect, listen. AWAY: the host tries again later.
  SLUICE_CONTROL sluice_status (*start)(sluice_node*, int32_t timeout_ms, sluice_error*);
  // Optional, any kind with a lane (not an inline consumer). The lane's only wait: do socket I/O and timers until
  // something came in or was completed, wake_fd is readable (do not read it), or the timeout; return at once after
  // progress. Called whenever the lane would sleep, and with timeout 0 between busy rounds; without it the host sleeps.
  // room: records the host would pull now. At 0 do not wait for input, only for what is under way (replies, acks).
  SLUICE_LANE sluice_status (*poll)(sluice_node*, int32_t wake_fd, int32_t timeout_ms, uint32_t room);
  // Optional. Is the far side there? On a connection of its own, with or without start().
  SLUICE_LANE sluice_status (*probe)(sluice_node*, int32_t timeout_ms, sluice_error*);
  // Optional. Source: take nothing more in (settle() and poll() still come). Backend: after the host has flushed
  // and polled until its drain deadline, complete what is left as CANCELLED.
  SLUICE_CONTROL sluice_status (*stop)(sluice_node*, int32_t timeout_ms, sluice_error*);
  // Last call. When it returns, no thread of the plugin touches host or batch memory again.
  SLUICE_CONTROL void (*destroy)(sluice_node*);
  SLUICE_CONTROL const void* (*extension)(const sluice_class*, const char* id);  // optional; null: not offered
};

typedef struct sluice_module {
  uint32_t size, abi_minor, need_minor, class_count;  // need_minor: the oldest host that serves this module
  const sluice_class* const* classes;
} sluice_module;

// A module's only export. Returns a constant and does no work.
SLUICE_EXPORT const sluice_module* sluice_module_v1(void);

// The module's end, once per module: its table, its one export, and a note in the file (owner "Sluice.v1", type 1) that
// says where the table lies, so that the host reads names, versions and schemas without running any of the module's
// code. The tables must therefore be constants: what a note cannot show, a host refuses.
//   static const sluice_class *const classes[] = {&my_class};
//   SLUICE_MODULE_TABLE(classes, 1)
#define SLUICE_NOTE_OWNER "Sluice.v1"
#ifdef __cplusplus
#define SLUICE_C_LINKAGE extern "C"
#else
#define SLUICE_C_LINKAGE extern
#endif
// The note alone, for those who write table and entry themselves: the distance from the note's content to the table.
#define SLUICE_NOTE                             \
  __asm__(                                      \
      ".pushsection .note.sluice,\"a\",%note\n" \
      ".balign 4\n"                             \
      ".long 10, 8, 1\n"                        \
      ".asciz \"" SLUICE_NOTE_OWNER             \
      "\"\n"                                    \
      ".balign 4\n"                             \
      ".quad sluice_module_table_v1 - .\n"      \
      ".popsection")
#define SLUICE_MODULE_TABLE(class_pointers, how_many)                                                \
  SLUICE_C_LINKAGE __attribute__((visibility("hidden"))) const sluice_module sluice_module_table_v1; \
  __attribute__((used)) const sluice_module sluice_module_table_v1 = {                               \
      (uint32_t)sizeof(sluice_module), SLUICE_ABI_MINOR, 0, (how_many), class_pointers};             \
  SLUICE_NOTE;                                                                                       \
  SLUICE_C_LINKAGE SLUICE_EXPORT const sluice_module* sluice_module_v1(void) { return &sluice_module_table_v1; }

#ifdef __cplusplus
}
#endif
