// An event with memory of its own. A retried event must not pin the block of its whole pull, so its text is copied out.
#pragma once

#include <sluice/event.h>

#include <cstdint>
#include <memory>

namespace sluice {

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
