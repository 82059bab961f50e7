// The host service "sluice.filters/1": plugins pick events with the host's own filters (ext/filter.h).
#pragma once

#include <sluice/ext/filter.h>

namespace sluice {

[[nodiscard]] const sluice_filters& plugin_filters() noexcept;

}  // namespace sluice
