// One pull on its way to being routed: its memory, its records, and what decoding made of them.
//
// It is decoded once, by whoever claims it: the source lane itself, or the thread that decodes ahead for it. Until it
// is decoded only that one touches it; before and after, only the lane.
#pragma once

#include "core/block.hh"
#include "core/decode.hh"

#include <sluice/writer.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace sluice {

class DeliveryLane;

struct Taken {  // credit held for a pull, by gating lane
  DeliveryLane* lane = nullptr;
  std::uint64_t events = 0, bytes = 0;
  std::uint64_t used_events = 0, used_bytes = 0;
};

class Pull {
 public:
  explicit Pull(std::uint32_t records_max) : records(records_max) {}

  BlockRef block;
  std::vector<sluice_record> records;
  std::uint32_t count = 0;    // of records
  std::uint64_t first = 0;    // number of its first record among all that the source handed over
  bool copies_bytes = false;  // lent memory without padding: decoding takes a copy of each record
  std::int64_t unix_ns = 0;   // when it was pulled
  std::vector<Taken> taken;
  bool holds_credit = false;
  std::uint32_t promised = 0;  // events that its credit is for, beside derived ones

  // What decoding leaves: the events lie in the block, in the order of their records.
  std::vector<std::uint32_t> events_up_to;                // by record: how many events there are up to it
  std::vector<std::pair<std::uint32_t, Reject>> rejects;  // records that hold no valid event, in order

  /// From here on it may be claimed.
  void offer() noexcept { state_.store(State::raw, std::memory_order_release); }
  /// True for exactly one caller, who must call decode().
  [[nodiscard]] bool claim() noexcept {
    State raw = State::raw;
    return state_.compare_exchange_strong(raw, State::claimed, std::memory_order_acq_rel);
  }
  [[nodiscard]] bool decoded() const noexcept { return state_.load(std::memory_order_acquire) == State::decoded; }
  void decode(Decoder& decoder, std::string_view node, std::uint64_t seed);
  /// The headers, and where a record stood, live only until the source's next call: what is decoded later keeps its
  /// own. False when it must be decoded now.
  [[nodiscard]] bool keep_for_later();
  void clear() noexcept;

 private:
  enum class State : std::uint8_t { idle, raw, claimed, decoded };
  std::atomic<State> state_{State::idle};
};

}  // namespace sluice
