// A run: events on their way from a source lane to one backend or observer lane. Views over a block, shared, read-only.
#pragma once

#include "core/block.hh"
#include "core/ledger.hh"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

/// Who hears how events ended. Any thread may tell; the sink's own lane works it off.
class SettleSink {
 public:
  virtual ~SettleSink() = default;
  virtual void settled(std::vector<Completion>&& completions) noexcept = 0;
};

struct Run {
  BlockRef block;
  const sluice_event* events = nullptr;  // dense, in the block
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;     // that count against the lane's bounds
  SettleSink* sink = nullptr;  // null: nobody waits for these events
  PageId page = 0;
  std::uint64_t queued_ns = 0;
  bool overflow = false;      // came without room here: credit was taken from the dead-letter lane instead
  bool tell_waiting = false;  // the sink wants to know of events that wait for a backend that is away
  bool waits = false;         // it was told that what is left of this run does

  [[nodiscard]] std::span<const sluice_event> view() const noexcept { return {events, count}; }
};

[[nodiscard]] inline std::uint64_t bytes_of(std::span<const sluice_event> events) noexcept {
  std::uint64_t bytes = 0;
  for (const sluice_event& event : events) bytes += event.json.len;
  return bytes;
}

}  // namespace sluice
