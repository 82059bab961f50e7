// Lives of a host over disks that forget: from a start to a crash or, the last one, to the end. What the simulations of
// spools and of durable observer queues share.
#pragma once

#include "simulation.hh"
#include "world.hh"

#include "core/config.hh"
#include "run/pipeline.hh"
#include "support/memory_spool.hh"

#include <chrono>
#include <cstdint>

namespace sluice::sim {

/// Segments and syncs of a few events, so that a short run meets every edge.
inline void plan_disk(SpoolPolicy& spool, Random& random) {
  spool.segment_bytes = 500 + random.below(4000);
  spool.max_bytes = spool.segment_bytes * (2 + random.below(12));
  spool.fsync = static_cast<SpoolPolicy::Fsync>(random.below(3));
  spool.group_commit = std::chrono::milliseconds(1 + random.below(30));
  spool.interval = std::chrono::milliseconds(1 + random.below(300));
}

inline SpoolFault some_fault(Random& random) { return random.below(2) == 0 ? SpoolFault::no_room : SpoolFault::broken; }

/// The power goes: of what was not synced, some bytes are gone.
inline void crash(test::MemoryDisk& disk, Random& random) {
  disk.crash([&random](std::size_t unsynced) { return random.below(2) == 0 ? 0 : random.below(unsynced + 1); },
             random.below(2) == 0);
}

/// What a life is led with. `calm`: disks do not refuse.
struct Life {
  Random& random;
  ManualClock& clock;
  RunReport& report;
  bool& calm;
  bool last;
};

/// Starts the pipeline and throws a die for who goes next. `calm_down` is called in the last life once a crash would
/// have been due, `after_step` after every step.
template <class CalmDown, class AfterStep>
void lead(Pipeline& pipeline, Life life, CalmDown calm_down, AfterStep after_step) {
  pipeline.start();
  life.calm = false;
  const std::uint64_t crash_at = 50 + life.random.below(1500);
  const std::vector<Lane*> lanes = pipeline.lanes();
  for (std::uint64_t step = 0; !pipeline.finished(); ++step) {
    require(++life.report.steps < 2'000'000, "the run does not end");
    if (!life.last && step == crash_at) return;
    if (life.last && step == crash_at) {
      life.calm = true;
      calm_down();
    }
    const auto die = life.random.below(lanes.size() + 2);
    if (die < lanes.size()) {
      if (!lanes[die]->finished()) lanes[die]->step(std::chrono::milliseconds(0));
    } else if (die == lanes.size()) {
      (void)pipeline.control();
    } else {
      life.clock.advance(life.random.below(life.random.below(10) == 0 ? 400'000'000 : 8'000'000));
    }
    after_step();
  }
  require(!life.last || pipeline.spooled() == 0, "the last life left events on a disk");
}

}  // namespace sluice::sim
