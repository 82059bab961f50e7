// simulate [--spool | --observers] [--seeds N] [--from SEED] [--seed SEED] [--loud]
//
// Runs simulated graphs; the first seed that breaks a promise ends it with exit 1 and the command that repeats it.
#include "keys_simulation.hh"
#include "simulation.hh"
#include "world.hh"

#include <cstdlib>
#include <cstring>
#include <iostream>

int main(int argc, char** argv) {
  std::uint64_t from = 1, seeds = 1000;
  bool loud = false, one = false, spool = false, observers = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--seeds" && i + 1 < argc)
      seeds = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "--from" && i + 1 < argc)
      from = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "--seed" && i + 1 < argc)
      from = std::strtoull(argv[++i], nullptr, 10), seeds = 1, one = true;
    else if (word == "--loud")
      loud = true;
    else if (word == "--spool")
      spool = true;
    else if (word == "--observers")
      observers = true;
    else
      return std::cerr << "usage: simulate [--spool | --observers] [--seeds N] [--from SEED] | --seed SEED [--loud]\n",
             64;
  }
  std::uint64_t records = 0, deliveries = 0, steps = 0, halted = 0, swaps = 0;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    try {
      // Every other run is about keys.
      const auto report = spool           ? sluice::sim::simulate_spool(seed, loud)
                          : observers     ? sluice::sim::simulate_observers(seed, loud)
                          : seed % 2 == 0 ? sluice::sim::simulate_keys(seed, loud)
                                          : sluice::sim::simulate(seed, loud);
      if (one) std::cout << report.graph << '\n';
      records += report.records;
      deliveries += report.deliveries;
      steps += report.steps;
      swaps += report.swaps;
      halted += report.halted ? 1 : 0;
    } catch (const sluice::sim::Violation& violation) {
      std::cout << "seed " << seed << ": " << violation.what() << "\nrepeat with: " << argv[0]
                << (spool       ? " --spool"
                    : observers ? " --observers"
                                : "")
                << " --seed " << seed << " --loud\n";
      return 1;
    }
  }
  std::cout << seeds << " runs: " << records << " records, " << deliveries << " deliveries, " << steps << " steps, "
            << halted << " halted, " << swaps << " instances replaced; every promise held\n";
  return 0;
}
