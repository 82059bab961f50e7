// What /health says of an observer between two batches (ext/health.h).
#pragma once

#include "../ext/health.h"
#include "host_view.hh"

namespace sluice {

/// The node's far side is away (SLUICE_AWAY, and why), or there again (SLUICE_OK). Any thread; once per change.
inline void report_health(HostView host, sluice_status status, std::string_view reason = {}) noexcept {
  const sluice_host& raw = host.raw();
  const auto* health = static_cast<const sluice_health*>(raw.service(&raw, SLUICE_HEALTH));
  if (health != nullptr) health->report(&raw, status, str(reason));
}

}  // namespace sluice
