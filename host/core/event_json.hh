// Events as JSON text that the host writes itself: from parts, and over again with other attributes.
#pragma once

#include "core/block.hh"
#include "core/event_parts.hh"

#include <sluice/event.h>

#include <span>
#include <string>

namespace sluice {

/// Makes events in a block from parts. Keeps its buffer between calls. Not thread-safe.
class EventWriter {
 public:
  /// Writes the event's CloudEvents JSON and a view over it into the block; nothing of the parts is referred to
  /// afterwards. The parts must have passed check_parts. JSON data keeps its source text byte for byte. Does not append
  /// to block.events; seq and origin are 0 and SLUICE_SYNTHETIC is set.
  [[nodiscard]] sluice_event write(const EventParts& parts, Block& block);

  /// The same event with extensions added, or replaced where the name exists: dead letters say why this way. The names
  /// must be attribute names and the values attribute texts. seq, origin and the host's flags are kept.
  [[nodiscard]] sluice_event with_extensions(const sluice_event& event, std::span<const sluice_attribute> added,
                                             Block& block);

 private:
  std::string text_;
  std::vector<sluice_attribute> extensions_;
};

/// The pieces of an event that exists. They refer to its memory.
[[nodiscard]] EventParts parts_of(const sluice_event& event) noexcept;

}  // namespace sluice
