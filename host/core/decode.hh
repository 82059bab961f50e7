// Bytes in, events out: one strict pass over each record (CloudEvents 1.0.2 and its JSON format), no copy of what is
// already in place. Pure: no clock, no I/O.
#pragma once

#include "core/block.hh"
#include "core/event_format.hh"
#include "core/limits.hh"

#include <sluice/writer.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sluice {

struct EventLimits {
  std::uint64_t event_bytes = limits::kEventBytes;
  std::uint32_t nesting = limits::kNesting;
  std::uint32_t batch_events = limits::kRecordEvents;
  std::uint32_t attributes = limits::kAttributes;
};

/// Why a record holds no valid event. `code` is stable ("missing_required", "json_syntax", …: the vectors' words).
struct Reject {
  const char* code = "";
  std::string reason;
};

/// Facts that a record cannot carry itself.
struct RecordContext {
  std::string_view node;     // the source's name: part of an id that is made from a position
  std::int64_t unix_ns = 0;  // for a time-ordered id (UUIDv7) where there is no position
  std::uint64_t random = 0;  // the rest of such an id
  /// Of an event that a consumer derived (SLUICE_ATTRIBUTES): what it left out is filled in, also in the cloudevents
  /// format: specversion, an id, the source (/sluice/<node>) and the time. Data without a datacontenttype is JSON if it
  /// can be.
  bool fill_in = false;
};

/// Decodes records into a block. One per source lane: it keeps its parser's buffers between calls. Not thread-safe.
class Decoder {
 public:
  Decoder(EventFormat format, EventLimits limits);
  Decoder(Decoder&&) noexcept;
  ~Decoder();

  /// Appends the record's events to block.events and returns nothing; or appends nothing and says why.
  /// The record's bytes must stay in place as long as the block (they lie in it, or are lent), and SLUICE_PADDING
  /// readable bytes must follow them. Leaves seq and origin of each event at 0.
  [[nodiscard]] std::optional<Reject> decode(const sluice_record& record, const RecordContext& context, Block& block);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
