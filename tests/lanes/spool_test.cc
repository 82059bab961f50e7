// A backend with a spool: what a source hears and when, and what the backend gets, in which order.
#include "catch.hh"
#include "spool_steps.hh"

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

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
