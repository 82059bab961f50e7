// One simulated run: a random graph out of the shipped lanes, ledger and pipeline, driven by a seeded die over a clock
// that is set by hand. Throws Violation when a promise is broken.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::sim {

struct RunReport {
  std::string graph;  // in words
  std::uint64_t steps = 0;
  std::uint64_t records = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t swaps = 0;  // instances that a reload replaced
  bool halted = false;
};

[[nodiscard]] RunReport simulate(std::uint64_t seed, bool loud);
/// The same for a backend with a spool, through several crashes of the host.
[[nodiscard]] RunReport simulate_spool(std::uint64_t seed, bool loud);
/// The same for observers with durable queues, in graphs of sources and backends.
[[nodiscard]] RunReport simulate_observers(std::uint64_t seed, bool loud);

}  // namespace sluice::sim
