// The writer: where a source puts the records it pulled, and a consumer the events it derived.
#pragma once

#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {                    // sluice_record.flags
  SLUICE_ATTRIBUTES = 1,  // ptr is the event's data, headers are its attributes; the host fills in what is missing
  SLUICE_REPLACES = 2,    // consumer: takes the place, and the output port, of input event `parent`
  SLUICE_PADDED = 4,      // SLUICE_PADDING readable bytes follow: the host need not copy lent memory
  SLUICE_BATCHED = 8,     // the bytes are one JSON array of events (application/cloudevents-batch+json), all or nothing
  SLUICE_SINGLE = 16,     // the bytes are one event; without this and without BATCHED an array of events is taken too
};
#define SLUICE_NO_PARENT 0xffffffffu

// One piece of input: bytes that the host decodes. The host zeroes every record before each call.
// Headers, and a consumer's bytes, need to live only until the node's next call; a source's bytes live until the
// writer's release is called, or lie in writer.bytes.
typedef struct sluice_record {
  const uint8_t* ptr;
  uint64_t len;
  const sluice_attribute* headers;  // protocol prefix stripped, values decoded; may be null. Without ATTRIBUTES: what
                                    // the message says beside its bytes; an envelope (not a CloudEvent) takes from it
                                    // its id and extensions that its own text does not give
  uint32_t header_count, flags;
  uint64_t tag;           // source: the node's own mark, given back exactly once in settle()
  uint32_t parent, port;  // consumer: input index whose outcome it shares, or SLUICE_NO_PARENT; output port
  sluice_str position;    // source, optional: names the record again after a restart ("inode:offset", a stream id).
                          // An event without an id gets a hash of it, the same one every time
} sluice_record;

struct sluice_writer {
  uint32_t size, stride, cap, count;  // the node sets count
  void* records;
  uint8_t* bytes;  // payloads go here (padding follows by itself), or anywhere when release is set
  uint64_t bytes_cap, bytes_len;
  SLUICE_ANY void (*release)(void* arg);  // set by the node: the host calls it once, after the last reader
  void* release_arg;
  // Host call. More room: records may move, bytes becomes a fresh chunk and older ones stay. 0: a limit is reached.
  SLUICE_INLINE int32_t (*grow)(sluice_writer*, uint32_t records, uint64_t bytes);
};
#define SLUICE_RECORD(w, i) ((sluice_record*)((char*)(w)->records + (size_t)(i) * (w)->stride))

#ifdef __cplusplus
}
#endif
