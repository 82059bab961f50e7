// Events behind a spool that the backend does not take: given up, refused, buried, waiting for their key.
#include "catch.hh"
#include "spool_steps.hh"

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

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
