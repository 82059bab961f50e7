// The shape of a dead letter: the event as it was, plus extension attributes that say what happened to it. An
// undecodable record cannot be an event, so its bytes become the data of a new one. Pure.
#pragma once

#include "core/block.hh"
#include "core/event_json.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

struct DeadLetterFacts {
  std::string_view node;  // that gave up
  std::string_view reason;
  std::int32_t code = 0;  // the protocol's own; 0 = none
  std::uint32_t attempts = 0;
  std::int64_t first_unix_ns = 0;  // first try
  std::int64_t last_unix_ns = 0;   // last try
};

/// Names and values of the attributes: sluiceerrornode, sluiceerrorreason, sluiceerrorcode, sluiceerrorattempts,
/// sluiceerrorfirst, sluiceerrorlast.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> dead_letter_attributes(const DeadLetterFacts& facts);

/// A reason quotes what others wrote, and an attribute may not hold all of it: control characters become spaces,
/// noncharacters and what is not UTF-8 become '?'. Cut at 1024 bytes, never inside a character.
[[nodiscard]] std::string attribute_text(std::string_view text);

inline constexpr std::string_view kUndecodableType = "io.sluice.undecodable";

/// The event with its dead-letter attributes, written into the block.
[[nodiscard]] sluice_event as_dead_letter(const sluice_event& event, const DeadLetterFacts& facts, EventWriter& writer,
                                          Block& block);

/// A new event around bytes that are none: type kUndecodableType, the bytes as data. `id_hint` names the place they
/// came from; `unique` tells two of them apart where there is none.
[[nodiscard]] sluice_event wrap_undecodable(Block& block, std::string_view bytes, const DeadLetterFacts& facts,
                                            std::string_view id_hint, std::uint64_t unique);

/// "2026-03-01T08:09:10.123Z"
[[nodiscard]] std::string timestamp_text(std::int64_t unix_ns);

}  // namespace sluice
