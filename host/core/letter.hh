// A dead letter read back: what its attributes say of how it died, and the event as it was before. The other direction
// is dead_letter.hh. Pure.
#pragma once

#include "core/event_json.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// The one attribute that a redriven event carries: how often it was taken out of a dead-letter store and sent again.
inline constexpr std::string_view kRedrivesName = "sluiceredrives";

struct Death {
  std::string node, reason;
  std::int32_t code = 0;
  std::uint32_t attempts = 0;
  std::int64_t first_unix_ns = 0;  // first try
  std::int64_t last_unix_ns = 0;   // last try; 0 = the event says nothing
};

/// sluiceerrornode and the others. What is missing or no number reads as empty.
[[nodiscard]] Death death_of(const sluice_event& event);
[[nodiscard]] std::uint32_t redrives_of(const sluice_event& event);

/// True for the attributes that dead-lettering and redriving add.
[[nodiscard]] bool is_letter_attribute(std::string_view name) noexcept;

/// The event without those, written into the block.
[[nodiscard]] sluice_event as_it_was(const sluice_event& event, EventWriter& writer, Block& block);

/// The JSON of an event from as_it_was(), with kRedrivesName in it.
[[nodiscard]] std::string with_redrives(std::string_view event_json, std::uint32_t redrives);

/// One death as JSON: {"node":…,"reason":…,"code":…,"attempts":…,"first":…,"last":…}. For the history of a letter.
[[nodiscard]] std::string death_json(const Death& death);

/// A JSON list of deaths with one more behind it; the oldest go when there are more than `most`.
[[nodiscard]] std::string longer_history(std::string_view history_json, const Death& death, std::size_t most);

}  // namespace sluice
