// A spool that takes nothing more: it reached its bound, or its disk refuses.
#include "catch.hh"
#include "spool_steps.hh"

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

namespace {

Delivery small(std::uint64_t max_bytes, SpoolPolicy::OnFull on_full) {
  Delivery delivery = Rig::fast_spool();
  delivery.spool.max_bytes = max_bytes;
  delivery.spool.segment_bytes = max_bytes / 8;
  delivery.spool.on_full = on_full;
  return delivery;
}

}  // namespace

TEST_CASE("spool: full and block: sources wait, and go on when a segment is gone", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk, small(16'384, SpoolPolicy::OnFull::block));
  out.room = 0;
  rig.build();
  offer(in, 0, 400);
  rig.step(60);
  const std::size_t first = delivered(in);
  CHECK((first > 50 && first < 200));
  CHECK(disk.bytes() <= 16'384);
  CHECK(rig.log.count("The spool is full") == 1);
  CHECK(rig.stats("out").spool_full.get() == 1);
  out.room = 1'000'000;
  out.answers_at_once = true;
  for (int i = 0; i < 20; ++i) rig.advance(milliseconds(1));
  rig.step(60);
  CHECK(out.ids() == ids(0, 400));
  CHECK(delivered(in) == 400);
  CHECK(rig.log.says("The spool has room again"));
}

TEST_CASE("spool: full and drop_newest: what does not fit is refused and counted, what is in stays", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk, small(16'384, SpoolPolicy::OnFull::drop_newest));
  out.room = 0;
  rig.build();
  offer(in, 0, 400);
  rig.step(60);
  CHECK(in.told.size() == 400);
  const std::size_t kept = delivered(in);
  CHECK((kept > 50 && kept < 200));
  CHECK(rig.stats("out").dropped_full.get() == 400 - kept);
  CHECK(in.of(400).outcome == Outcome::retry);
  CHECK(in.of(400).code == SLUICE_CODE_FULL);
  out.room = 1'000'000;
  rig.step(60);
  CHECK(out.ids() == ids(0, static_cast<int>(kept)));
}

TEST_CASE("spool: full and dead_letter: what does not fit is buried, and the source hears when it is",
          "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  Delivery buries = small(16'384, SpoolPolicy::OnFull::dead_letter);
  buries.dead_letter = "parked";
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk, buries);
  auto& parked = rig.backend("parked", {});
  parked.answers_at_once = true;
  out.room = 0;
  rig.build();
  offer(in, 0, 400);
  rig.step(80);
  const std::size_t kept = delivered(in);
  CHECK((kept > 50 && kept < 200));
  CHECK(parked.taken.size() == 400 - kept);
  CHECK(in.told.size() == 400);
  CHECK(in.of(400).outcome == Outcome::rejected);
  CHECK(in.of(400).reason.find("dead-lettered to parked") != std::string::npos);
}

TEST_CASE("spool: a full disk is a full spool; nothing is called delivered that is not on it", "[lanes][spool]") {
  for (const char* refused : {"append", "create", "sync"}) {
    MemoryDisk disk;
    Rig rig;
    auto& in = rig.source("in");
    auto& out = rig.spooled("out", {"in"}, disk);
    rig.build();
    offer(in, 0, 10);
    rig.step();
    CHECK(delivered(in) == 10);
    disk.fault = [&](std::string_view what) { return refuse(what, refused); };
    offer(in, 10, 200);
    rig.step(20);
    INFO(refused);
    CHECK(delivered(in) < 200);
    const std::size_t before = delivered(in);
    for (int i = 0; i < 5; ++i) rig.advance(milliseconds(1001));
    CHECK(delivered(in) == before);
    CHECK(rig.log.count("disk refused") == 1);
    disk.fault = nullptr;
    rig.advance(milliseconds(1001));
    rig.step(20);
    CHECK(delivered(in) == 200);
    CHECK(out.ids() == ids(0, 200));
    out.complete_all();
    rig.step();
    rig.stop();
    CHECK(disk.segments.empty());
  }
}
