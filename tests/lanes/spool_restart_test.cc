// A spool over the ends of a run: what the next one finds, what is said, what is damaged or in use.
#include "catch.hh"
#include "spool_steps.hh"

#include "core/setup_error.hh"

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

TEST_CASE("spool: a restart delivers what is left, and the run ends only then", "[lanes][spool]") {
  MemoryDisk disk;
  {
    Rig rig;
    auto& in = rig.source("in");
    auto& out = rig.spooled("out", {"in"}, disk);
    rig.build();
    offer(in, 0, 40);
    rig.step();
    for (const char* id : {"e0", "e1", "e5", "e39"}) out.complete(id);
    rig.step();
    rig.advance(milliseconds(101));  // the cursor is written
    CHECK(delivered(in) == 40);
  }  // killed: nothing is said to anybody
  disk.crash([](std::size_t) { return 0; }, true);
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  rig.build();
  in.end();
  rig.step(20);
  std::vector<std::string> left = ids(2, 39);
  std::erase(left, "e5");
  CHECK(out.ids() == left);
  CHECK(rig.pipeline().state() == Pipeline::State::draining);
  CHECK(rig.log.says("events of an earlier run"));
  out.complete_all();
  rig.step(20);
  CHECK(rig.pipeline().finished());
  CHECK(disk.segments.empty());
}

TEST_CASE("spool: what remains at the deadline stays on disk, is said, and is not undelivered", "[lanes][spool]") {
  MemoryDisk disk;
  {
    Rig rig;
    auto& in = rig.source("in");
    in.forgetful = true;
    auto& out = rig.spooled("out", {"in"}, disk);
    out.away = true;
    rig.build();
    offer(in, 0, 30);
    rig.step();
    rig.stop();
    REQUIRE(rig.pipeline().finished());
    CHECK(rig.pipeline().undelivered() == 0);
    CHECK(rig.pipeline().spooled() == 30);
    CHECK(rig.undelivered.events.empty());
    CHECK(rig.log.says("Events stay in the spool"));
    CHECK_FALSE(rig.log.says("left undelivered"));
  }
  CHECK_FALSE(disk.owned);
  Rig rig;
  rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  rig.build();
  rig.step();
  CHECK(out.ids() == ids(0, 30));
}

TEST_CASE("spool: events that came in while the host stops are written, too", "[lanes][spool]") {
  MemoryDisk disk;
  Delivery slow = Rig::fast_spool();
  slow.spool.fsync = SpoolPolicy::Fsync::interval;
  slow.spool.interval = milliseconds(60'000);
  Rig rig;
  rig.config.drain_deadline = milliseconds(100);
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk, slow);
  rig.build();
  in.offer("first");
  rig.step();
  offer(in, 0, 5);
  rig.step();
  (void)out;
  rig.stop();
  CHECK(delivered(in) == 6);
  CHECK(rig.pipeline().spooled() == 6);
}

TEST_CASE("spool: a node that broke its contract gets nothing more; its events stay for the next run",
          "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  out.fail = true;
  rig.build();
  offer(in, 0, 20);
  rig.step();
  const std::uint32_t tries = out.publishes;
  for (int i = 0; i < 5; ++i) rig.advance(milliseconds(60'000));
  CHECK(out.publishes == tries);
  CHECK(delivered(in) == 20);
  rig.stop();
  CHECK(rig.pipeline().spooled() == 20);
}

TEST_CASE("spool: a damaged record costs only itself, is said once, and the run comes to its end", "[lanes][spool]") {
  MemoryDisk disk;
  {
    Rig rig;
    auto& in = rig.source("in");
    rig.spooled("out", {"in"}, disk).away = true;
    rig.build();
    offer(in, 0, 100);
    rig.step(20);
    CHECK(delivered(in) == 100);
  }
  disk.owned = false;
  disk.segments.begin()->second.bytes[kSegmentHeaderBytes + 50] ^= 1;  // in the first record
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  out.answers_at_once = true;
  rig.build();
  in.end();
  rig.step(40);
  CHECK(out.ids() == ids(1, 100));
  CHECK(rig.stats("out").spool_corrupt.get() == 1);
  CHECK(rig.stats("out").spool_lost.get() == 1);
  CHECK(rig.log.count("The spool is damaged") == 1);
  CHECK(rig.pipeline().finished());
  CHECK(disk.segments.empty());
  CHECK(disk.aside.size() == 1);
}

TEST_CASE("spool: one that is in use is refused by name before anything starts", "[lanes][spool]") {
  MemoryDisk disk;
  disk.owned = true;
  Rig rig;
  rig.source("in");
  rig.spooled("out", {"in"}, disk);
  std::string said;
  try {
    rig.build();
  } catch (const SetupError& error) {
    said = error.what();
  }
  CHECK(said.find("out: spool: ") == 0);
}

TEST_CASE("spool: a disk that refuses at the very end is asked again, so that no completed segment stays",
          "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  out.answers_at_once = true;
  rig.build();
  offer(in, 0, 3);
  rig.step();
  int refused = 0;
  disk.fault = [&](std::string_view what) {
    return what == "remove" && ++refused <= 2 ? SpoolFault::broken : SpoolFault::none;
  };
  rig.stop();
  CHECK(refused == 3);
  CHECK(disk.segments.empty());
}
