// A copy of an event that needs nothing of the memory it was in.
#pragma once

#include <sluice/event.h>

#include <cstddef>

namespace sluice {

/// What copy_event() writes, padding included.
[[nodiscard]] std::size_t copy_bytes(const sluice_event& event) noexcept;
/// `memory` has room for copy_bytes(event), aligned to 16. The copy lives as long as the memory.
[[nodiscard]] sluice_event copy_event(const sluice_event& event, char* memory) noexcept;

}  // namespace sluice
