// A backend with a spool: what a source hears and when, what the disk holds, what the backend gets, over ends of all
// kinds.
#include "catch.hh"
#include "rig.hh"

#include "core/setup_error.hh"

#include <algorithm>

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

namespace {

std::vector<std::string> ids(int from, int to) {
  std::vector<std::string> out;
  for (int i = from; i < to; ++i) out.push_back("e" + std::to_string(i));
  return out;
}

void offer(FakeSource& in, int from, int to) {
  for (const std::string& id : ids(from, to)) in.offer(id);
}

std::size_t delivered(const FakeSource& in) {
  return static_cast<std::size_t>(std::ranges::count(in.told, Outcome::delivered, &Told::outcome));
}

SpoolFault refuse(std::string_view what, std::string_view refused) {
  return what == refused ? SpoolFault::no_room : SpoolFault::none;
}

Delivery small(std::uint64_t max_bytes, SpoolPolicy::OnFull on_full) {
  Delivery delivery = Rig::fast_spool();
  delivery.spool.max_bytes = max_bytes;
  delivery.spool.segment_bytes = max_bytes / 8;
  delivery.spool.on_full = on_full;
  return delivery;
}

}  // namespace

TEST_CASE("spool: the source hears after the sync, not after the write and not after the delivery", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  out.answers_at_once = true;
  disk.fault = [](std::string_view what) { return refuse(what, "sync"); };
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a"});  // handed on from memory at once
  CHECK_FALSE(in.heard(a));
  CHECK(rig.log.says("disk refused"));
  disk.fault = nullptr;
  rig.advance(milliseconds(1001));
  CHECK(in.of(a).outcome == Outcome::delivered);
  CHECK(out.ids() == std::vector<std::string>{"a"});  // not a second time
  rig.stop();
  CHECK(disk.segments.empty());
}

TEST_CASE("spool: a group commit waits for company, and for no longer than it says", "[lanes][spool]") {
  MemoryDisk disk;
  Delivery grouped = Rig::fast_spool();
  grouped.spool.fsync = SpoolPolicy::Fsync::group_commit;
  grouped.spool.group_commit = milliseconds(10);
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk, grouped);
  rig.build();
  offer(in, 0, 3);
  rig.step();
  CHECK(out.taken.size() == 3);
  rig.advance(milliseconds(9));
  offer(in, 3, 5);
  rig.step();
  CHECK(in.told.empty());
  rig.advance(milliseconds(2));
  CHECK(delivered(in) == 5);
  CHECK(disk.syncs == 1);
}

TEST_CASE("spool: syncs on an interval are that far apart, unless half of the room is waiting", "[lanes][spool]") {
  MemoryDisk disk;
  Delivery slow = Rig::fast_spool();
  slow.spool.fsync = SpoolPolicy::Fsync::interval;
  slow.spool.interval = milliseconds(1000);
  slow.spool.max_bytes = 1ull << 30;
  Rig rig;
  auto& in = rig.source("in");
  rig.spooled("out", {"in"}, disk, slow);
  rig.build();
  for (int i = 0; i < 10; ++i) {
    in.offer("e" + std::to_string(i));
    rig.advance(milliseconds(300));
  }
  CHECK(disk.syncs <= 4);
  CHECK(delivered(in) >= 6);
  const std::uint64_t before = disk.syncs;
  for (std::uint64_t i = 0; i < limits::kSpoolWaitingEvents / 2 + 100; ++i) in.offer("m" + std::to_string(i));
  rig.step(2500);
  CHECK(disk.syncs > before);  // without the clock having moved
}

TEST_CASE("spool: a backend that is away costs the source nothing, and gets everything in order", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  out.away = true;
  rig.node("out").delivery.queue.max_events = 20;
  rig.build();
  offer(in, 0, 500);
  rig.step(80);
  CHECK(delivered(in) == 500);
  CHECK(out.taken.empty());
  CHECK(rig.stats("out").spool_records.get() == 500);
  rig.advance(milliseconds(3'600'000));
  offer(in, 500, 510);
  rig.step();
  out.away = false;
  out.answers_at_once = true;
  for (int i = 0; i < 20; ++i) rig.advance(milliseconds(6000));
  CHECK(out.ids() == ids(0, 510));
  CHECK(rig.stats("out").spool_records.get() == 0);
  rig.stop();
  CHECK(disk.segments.empty());
  CHECK(rig.pipeline().undelivered() == 0);
}

TEST_CASE("spool: behind, then caught up: order is kept over both ways, and memory is used again", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  out.answers_at_once = true;
  rig.node("out").delivery.queue.max_events = 24;
  rig.build();
  int sent = 0;
  for (int round = 0; round < 60; ++round) {
    out.room = round % 3 == 0 ? 0 : 1'000'000;
    const int count = 1 + round % 40;
    offer(in, sent, sent + count);
    sent += count;
    rig.step(3);
  }
  out.room = 1'000'000;
  rig.step(40);
  CHECK(out.ids() == ids(0, sent));
  CHECK(out.taken.back().json == event_json("e" + std::to_string(sent - 1)));
}

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

TEST_CASE("spool: what is given up comes again after a while; what is delivered meanwhile passes it",
          "[lanes][spool]") {
  MemoryDisk disk;
  Delivery twice = Rig::fast_spool();
  twice.retry.max_attempts = 1;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk, twice);
  rig.build();
  offer(in, 0, 3);
  rig.step();
  out.complete("e0", SLUICE_AGAIN, "busy");
  out.complete("e1");
  out.complete("e2");
  rig.step();
  CHECK(rig.stats("out").spool_records.get() == 1);
  rig.advance(milliseconds(101));
  REQUIRE(out.taken.size() == 4);
  CHECK(out.taken[3].id == "e0");
  CHECK(out.taken[3].json == event_json("e0"));
  out.complete("e0");
  rig.step();
  CHECK(rig.stats("out").spool_records.get() == 0);
}

TEST_CASE("spool: a rejected event without a dead letter is kept beside the spool with the reason", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  rig.build();
  offer(in, 0, 3);
  rig.step();
  out.complete("e1", SLUICE_REJECTED, "too ugly");
  out.complete("e0");
  out.complete("e2");
  rig.step();
  REQUIRE(disk.rejected.size() == 1);
  CHECK(disk.rejected[0].find(R"("id":"e1")") != std::string::npos);
  CHECK(disk.rejected[0].find("too ugly") != std::string::npos);
  CHECK(disk.rejected[0].back() == '\n');
  CHECK(rig.stats("out").spool_records.get() == 0);
  CHECK(rig.stats("out").spool_rejected.get() == 1);
  CHECK(rig.log.count("were rejected and are kept") == 1);
}

TEST_CASE("spool: while the rejected event cannot be kept, its record is not let go", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  rig.build();
  in.offer("a");
  rig.step();
  disk.fault = [](std::string_view what) { return refuse(what, "rejected"); };
  out.complete("a", SLUICE_REJECTED, "no");
  rig.step();
  CHECK(rig.stats("out").spool_records.get() == 1);
  disk.fault = nullptr;
  rig.advance(milliseconds(1001));
  CHECK(rig.stats("out").spool_records.get() == 0);
  CHECK(disk.rejected.size() == 1);
}

TEST_CASE("spool: a dead letter that was taken completes the record", "[lanes][spool]") {
  MemoryDisk disk, parked_disk;
  Delivery buries = Rig::fast_spool();
  buries.dead_letter = "parked";
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk, buries);
  auto& parked = rig.spooled("parked", {}, parked_disk);  // a dead-letter edge leads into a spool as well
  rig.build();
  in.offer("a");
  rig.step();
  out.complete("a", SLUICE_REJECTED, "no");
  rig.step();
  CHECK(parked.ids() == std::vector<std::string>{"a"});
  CHECK(rig.stats("out").spool_records.get() == 0);  // safe in the other spool
  CHECK(rig.stats("parked").spool_records.get() == 1);
  CHECK(disk.rejected.empty());
  parked.complete("a");
  rig.step();
  rig.stop();
  CHECK((disk.segments.empty() && parked_disk.segments.empty()));
}

TEST_CASE("spool: a redacted field reaches no byte of the disk", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  rig.node("out").redact = {"/secret"};
  out.room = 0;
  rig.build();
  in.offer_text(event_json("a", "t", R"({"secret":"xyzzy","n":1})"));
  in.offer_text(event_json("b", "t", R"({"n":2})"));
  rig.step();
  CHECK(delivered(in) == 2);
  REQUIRE(disk.segments.size() == 1);
  const std::string& bytes = disk.segments.begin()->second.bytes;
  CHECK(bytes.find("xyzzy") == std::string::npos);
  CHECK(bytes.find(R"("id":"a")") != std::string::npos);
  out.room = 10;
  rig.advance(milliseconds(1));
  REQUIRE(out.taken.size() == 2);
  CHECK(out.taken[0].json.find("secret") == std::string::npos);
}

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

TEST_CASE("spool: an event larger than the whole queue still passes, from memory or from disk", "[lanes][spool]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  out.answers_at_once = true;
  rig.node("out").delivery.queue.max_bytes = 1024;
  rig.node("out").delivery.queue.max_events = 1;
  rig.build();
  in.offer("a");
  in.offer_text(event_json("big", "t", "\"" + std::string(5000, 'x') + "\""));
  in.offer("c");
  rig.step(20);
  CHECK(out.ids() == std::vector<std::string>{"a", "big", "c"});
  CHECK(delivered(in) == 3);
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

TEST_CASE("spool: events of every kind come back from disk as they went in", "[lanes][spool]") {
  const std::vector<std::string> events = {
      event_json("a", "t", R"({"text":"żółć \u00e9 \"q\"","n":[1,2.50,null]})"),
      R"({"specversion":"1.0","id":"b","source":"/s","type":"t","data_base64":"AAEC/w=="})",
      R"({ "type" : "t", "id" : "c", "source" : "/s", "specversion" : "1.0", "count": 7, "flag": true, "time":"2026-01-01T00:00:00.5Z" })",
      R"({"specversion":"1.0","id":"d","source":"/s","type":"t","datacontenttype":"text/plain","data":"plain"})"};
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  rig.node("out").delivery.queue.max_events = 2;  // the rest is read back
  rig.build();
  for (const std::string& text : events) in.offer_text(text);
  rig.step();
  for (int i = 0; i < 4; ++i) {
    out.complete_all();
    rig.step();
  }
  REQUIRE(out.taken.size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(out.taken[i].json == events[i]);
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

TEST_CASE("spool: with order by key nothing is given up, and its key waits; without it the next one goes on",
          "[lanes][spool]") {
  for (const bool ordered : {true, false}) {
    INFO((ordered ? "ordered" : "not ordered"));
    MemoryDisk disk;
    Delivery delivery = Rig::fast_spool();
    delivery.ordering.by_key = ordered;
    delivery.retry.max_attempts = 2;
    delivery.max_batch = 1;
    delivery.max_in_flight = 1;
    Rig rig;
    auto& in = rig.source("in");
    auto& out = rig.spooled("out", {"in"}, disk, delivery);
    rig.build();
    for (const char* id : {"a1", "a2"}) {
      in.offer_text(R"({"specversion":"1.0","id":")" + std::string(id) +
                    R"(","source":"/t","type":"t","partitionkey":"a"})");
    }
    rig.step();
    for (int tries = 0; tries < 5; ++tries) {
      if (out.ids().back() != "a1") break;
      out.complete("a1", SLUICE_AGAIN, "not now");
      rig.step();
      rig.advance(milliseconds(150));
    }
    CHECK((out.ids().back() == "a1") == ordered);
    if (!ordered) continue;
    out.complete("a1");
    rig.step();
    CHECK(out.ids().back() == "a2");
  }
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
