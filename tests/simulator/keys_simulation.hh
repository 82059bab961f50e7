// Simulated runs about keys: duplicates that must not be handed over again, and events that must keep their order by
// key. What is outside the process (source, far side, key store) survives a crash that comes at any step.
#pragma once

#include "simulation.hh"

namespace sluice::sim {

[[nodiscard]] RunReport simulate_keys(std::uint64_t seed, bool loud);

}  // namespace sluice::sim
