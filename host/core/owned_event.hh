// An event with memory of its own. A retried event, or one picked out of many, must not pin the block of its whole
// pull, so its text is copied out.
#pragma once

#include <sluice/event.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice {

/// The memory that a copy takes.
[[nodiscard]] std::size_t copied_bytes(const sluice_event& event);
/// The event over a copy of all its text. `memory`: copied_bytes(), aligned for any of it.
[[nodiscard]] sluice_event copy_event(const sluice_event& event, char* memory);

class OwnedEvent {
 public:
  OwnedEvent() = default;
  explicit OwnedEvent(const sluice_event& event);

  [[nodiscard]] const sluice_event& view() const noexcept { return event_; }

 private:
  std::unique_ptr<char[]> memory_;  // text, padding, then the extension array
  sluice_event event_{};
};

}  // namespace sluice
