// An observer with a durable queue: what its source hears and when, what the observer is shown, over ends of all kinds.
#include "catch.hh"
#include "spool_steps.hh"

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

namespace {

/// What the observer of a new process over that disk is shown.
std::vector<std::string> shown_after(MemoryDisk& disk) {
  Rig next;
  next.source("in");
  next.backend("out", {"in"}).answers_at_once = true;
  auto& watch = next.durable("watch", {"in"}, disk);
  next.build();
  next.step();
  next.stop();
  return watch.seen;
}

}  // namespace

TEST_CASE("observer queue: the source hears when the event is on disk, and not when it was only delivered or seen") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  auto& watch = rig.durable("watch", {"in"}, disk);
  disk.fault = [](std::string_view what) { return refuse(what, "sync"); };
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  CHECK(watch.seen == std::vector<std::string>{"a"});
  CHECK_FALSE(in.heard(a));
  disk.fault = nullptr;
  rig.advance(milliseconds(1001));
  CHECK(in.of(a).outcome == Outcome::delivered);
  rig.stop();
  CHECK(disk.segments.empty());
}

TEST_CASE("observer queue: an observer that is away costs the source nothing, and is shown everything in order") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  auto& watch = rig.durable("watch", {"in"}, disk);
  watch.start_with = {SLUICE_AWAY, "not yet"};
  rig.node("watch").observer_queue = 20;
  rig.build();
  offer(in, 0, 500);
  rig.step(80);
  CHECK(delivered(in) == 500);
  CHECK(watch.seen.empty());
  CHECK(rig.stats("watch").spool_records.get() == 500);
  CHECK(rig.stats("watch").dropped_full.get() == 0);
  watch.start_with = {};
  rig.advance(milliseconds(10'000));
  rig.step(200);
  CHECK(watch.seen == ids(0, 500));
  rig.stop();
  CHECK(disk.segments.empty());
}

TEST_CASE("observer queue: what the observer had not seen before a kill is shown by the next run") {
  MemoryDisk disk;
  {
    Rig rig;
    auto& in = rig.source("in");
    rig.backend("out", {"in"}).answers_at_once = true;
    rig.durable("watch", {"in"}, disk).start_with = {SLUICE_AWAY, "not yet"};
    rig.build();
    offer(in, 0, 40);
    rig.step(20);
    CHECK(delivered(in) == 40);
    disk.crash([](std::size_t) { return 0; }, true);
  }
  CHECK(shown_after(disk) == ids(0, 40));
  CHECK(shown_after(disk).empty());  // once it was seen, it is gone
}

TEST_CASE("observer queue: an observer that failed is not fed, does not hold up the end, and its events are kept") {
  MemoryDisk disk;
  {
    Rig rig;
    auto& in = rig.source("in");
    rig.backend("out", {"in"}).answers_at_once = true;
    auto& watch = rig.durable("watch", {"in"}, disk);
    watch.judge = [](const sluice_batch&, std::uint8_t*, sluice_writer*, std::string& error) {
      error = "cannot";
      return SLUICE_FAILED;
    };
    rig.build();
    offer(in, 0, 5);
    rig.step(10);
    offer(in, 5, 30);
    rig.step(10);
    CHECK(delivered(in) == 30);
    CHECK(watch.seen.size() < 30);
    rig.stop();
    CHECK_FALSE(rig.pipeline().deadline_passed());
    CHECK(rig.pipeline().spooled() == 30);
  }
  CHECK(shown_after(disk) == ids(0, 30));
}

TEST_CASE("observer queue: a full disk drops what is new for the observer, counted, and delivery goes on") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.answers_at_once = true;
  auto& watch = rig.durable("watch", {"in"}, disk);
  watch.start_with = {SLUICE_AWAY, "not yet"};
  rig.node("watch").observer_queue = 4;
  rig.node("watch").delivery.spool.max_bytes = 16 * 1024;
  rig.build();
  offer(in, 0, 1000);
  rig.step(200);
  CHECK(delivered(in) == 1000);
  CHECK(out.taken.size() == 1000);
  const std::uint64_t kept = rig.stats("watch").spool_records.get();
  CHECK(kept > 20);
  CHECK(rig.stats("watch").dropped_full.get() == 1000 - kept);
  CHECK(rig.log.count("The spool is full") == 1);
  CHECK(disk.bytes() <= 16 * 1024);
}

TEST_CASE("observer queue: with on_full block a full disk holds up the sources, and nothing is dropped") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.answers_at_once = true;
  auto& watch = rig.durable("watch", {"in"}, disk, SpoolPolicy::OnFull::block);
  watch.start_with = {SLUICE_AWAY, "not yet"};
  rig.node("watch").observer_queue = 4;
  rig.node("watch").delivery.spool.max_bytes = 16 * 1024;
  rig.build();
  offer(in, 0, 1000);
  rig.step(200);
  CHECK(delivered(in) == rig.stats("watch").spool_records.get());
  CHECK(delivered(in) < 1000);
  watch.start_with = {};
  rig.advance(milliseconds(10'000));
  for (int i = 0; i < 200 && watch.seen.size() < 1000; ++i) rig.advance(milliseconds(1001));
  CHECK(delivered(in) == 1000);
  CHECK(watch.seen == ids(0, 1000));
  CHECK(rig.stats("watch").dropped_full.get() == 0);
}

TEST_CASE("observer queue: what a disk refuses to the end is not called delivered, with any acknowledgement") {
  for (const auto mode : {Acknowledge::Mode::all, Acknowledge::Mode::any}) {
    MemoryDisk disk;
    Rig rig;
    auto& in = rig.source("in", {mode, {}});
    rig.backend("out", {"in"}).answers_at_once = true;
    rig.durable("watch", {"in"}, disk, SpoolPolicy::OnFull::block);
    disk.fault = [](std::string_view what) { return refuse(what, "append"); };
    rig.build();
    const auto a = in.offer("a");
    rig.step();
    CHECK_FALSE(in.heard(a));
    rig.stop();
    CHECK(in.of(a).outcome == Outcome::retry);
    CHECK(in.of(a).reason == "not delivered before the host stopped");
  }
}

TEST_CASE("observer queue: an event that only an observer keeps is settled as dropped, and a filter spares the disk") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& watch = rig.durable("watch", {"in"}, disk);
  std::string why;
  rig.node("watch").when = Filter::parse(R"({"exact":{"type":"t.wanted"}})", why);
  rig.build();
  const auto a = in.offer("a");
  const auto b = in.offer("b", "t.wanted");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::dropped);
  CHECK(in.of(b).outcome == Outcome::dropped);
  CHECK(watch.seen == std::vector<std::string>{"b"});
  CHECK(rig.stats("watch").spool_synced.get() == 1);
}

TEST_CASE("observer queue: what an observer does not take is shown again, in order, and counts once") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  auto& watch = rig.durable("watch", {"in"}, disk);
  bool away = true;
  watch.judge = [&](const sluice_batch& batch, std::uint8_t*, sluice_writer*, std::string& error) {
    CHECK(batch.flags == SLUICE_KEPT);
    error = "the far side is away";
    return away ? SLUICE_AWAY : SLUICE_OK;
  };
  rig.build();
  offer(in, 0, 40);
  rig.step(20);
  CHECK(delivered(in) == 40);
  CHECK(rig.stats("watch").spool_records.get() == 40);
  rig.advance(milliseconds(1000));
  CHECK(rig.stats("watch").spool_records.get() == 40);
  away = false;
  watch.seen.clear();
  rig.advance(milliseconds(1000));
  rig.step(20);
  CHECK(watch.seen == ids(0, 40));
  std::uint64_t shown = 0;
  for (const TypeCounters& type : rig.stats("watch").by_type) shown += type.in.get();
  CHECK(shown == 40);
  rig.stop();
  CHECK(disk.segments.empty());
}

TEST_CASE("observer queue: what was never taken is kept for the next run") {
  MemoryDisk disk;
  {
    Rig rig;
    auto& in = rig.source("in");
    rig.backend("out", {"in"}).answers_at_once = true;
    rig.durable("watch", {"in"}, disk).judge = [](const sluice_batch&, std::uint8_t*, sluice_writer*, std::string&) {
      return SLUICE_AWAY;
    };
    rig.build();
    offer(in, 0, 40);
    rig.step(20);
    rig.stop();
  }
  CHECK(shown_after(disk) == ids(0, 40));
}
