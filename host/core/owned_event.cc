#include "core/owned_event.hh"

#include "core/event_copy.hh"

namespace sluice {

OwnedEvent::OwnedEvent(const sluice_event& event)
    : memory_(std::make_unique_for_overwrite<char[]>(copy_bytes(event))), event_(copy_event(event, memory_.get())) {}

}  // namespace sluice
