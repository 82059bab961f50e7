// `ordering: key`: one event of a key under way, its successors behind it through retries; other keys go on.
#include "catch.hh"
#include "rig.hh"

using namespace sluice;
using namespace sluice::test;

namespace {

using Ids = std::vector<std::string>;

Delivery by_key(std::uint64_t max_held = 10'000, std::uint32_t max_attempts = 3) {
  Delivery delivery = Rig::fast();
  delivery.ordering.by_key = true;
  delivery.ordering.max_held = max_held;
  delivery.retry.max_attempts = max_attempts;
  return delivery;
}

std::string keyed(const std::string& id, const std::string& key) {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/t","type":"t","partitionkey":")" + key + "\"}";
}

struct Line {
  Rig rig;
  FakeSource& in = rig.source("in");
  FakeBackend& out;
  explicit Line(Delivery delivery = by_key()) : out(rig.backend("out", {"in"}, std::move(delivery))) {}
  /// "a1": event 1 of key a.
  void offer(const Ids& ids) {
    for (const std::string& id : ids) in.offer_text(keyed(id, id.substr(0, 1)));
  }
};

}  // namespace

TEST_CASE("ordering: the second of a key waits for the first, other keys and events without one go on",
          "[lanes][ordering]") {
  Line line;
  line.rig.build();
  line.offer({"a1", "a2", "b1"});
  line.in.offer("plain");
  line.offer({"a3"});
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "b1", "plain"});
  CHECK(line.rig.stats("out").held_by_key.get() == 2);
  line.out.complete("a1");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "b1", "plain", "a2"});
  line.out.complete("a2");
  line.rig.step();
  CHECK(line.out.ids().back() == "a3");
  line.out.complete_all();
  line.rig.step();
  CHECK(line.rig.stats("out").held_by_key.get() == 0);
  CHECK(line.in.told.size() == 5);
}

TEST_CASE("ordering: a retry keeps its successors behind it; so does a time away", "[lanes][ordering]") {
  Line line;
  line.rig.build();
  line.offer({"a1", "a2", "b1", "b2"});
  line.rig.step();
  line.out.complete("a1", SLUICE_AGAIN, "busy");
  line.out.complete("b1");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "b1", "b2"});
  line.rig.advance(std::chrono::milliseconds(200));
  CHECK(line.out.ids() == Ids{"a1", "b1", "b2", "a1"});
  line.out.complete("a1", SLUICE_AWAY, "gone");
  line.rig.step();
  line.rig.advance(std::chrono::seconds(10));
  line.out.complete("a1");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "b1", "b2", "a1", "a1", "a2"});
}

TEST_CASE("ordering: what is rejected or used up its attempts lets the next one go", "[lanes][ordering]") {
  Line line(by_key(10'000, 1));
  line.rig.build();
  line.offer({"a1", "a2", "a3"});
  line.rig.step();
  line.out.complete("a1", SLUICE_REJECTED, "no");
  line.rig.step();
  line.out.complete("a2", SLUICE_AGAIN, "busy");
  line.rig.step();
  line.out.complete("a3");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "a2", "a3"});
  CHECK(line.in.told.size() == 3);
}

TEST_CASE("ordering: more than max_held waiting, and the lane takes nothing more until one of them goes",
          "[lanes][ordering]") {
  Line line(by_key(2));
  line.rig.build();
  line.offer({"a1", "a2", "a3", "a4", "b1"});
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1"});
  CHECK(line.rig.stats("out").held_by_key.get() == 2);
  line.out.complete("a1");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "a2", "b1"});  // a4 waits now, so b1 could pass
}

TEST_CASE("ordering: a backend that takes only some of them gets the rest later, in order", "[lanes][ordering]") {
  Line line;
  line.rig.build();
  line.out.room = 1;
  line.offer({"a1", "b1", "a2", "c1"});
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1"});
  line.out.room = 1;
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "b1"});
  line.out.room = 10;
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "b1", "c1"});
  line.out.complete("a1");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "b1", "c1", "a2"});
}

TEST_CASE("ordering: max_age also ends what waits behind another", "[lanes][ordering]") {
  Delivery delivery = by_key();
  delivery.retry.max_age = milliseconds(500);
  Line line(delivery);
  line.rig.build();
  line.offer({"a1", "a2"});
  line.rig.step();
  line.rig.advance(std::chrono::milliseconds(600));
  REQUIRE(line.in.heard(2));
  CHECK(line.in.of(2).outcome == Outcome::retry);
  CHECK(line.in.of(2).reason.find("it waited for an earlier event of its key") != std::string::npos);
  line.out.complete("a1");
  line.offer({"a3"});
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "a3"});
}

TEST_CASE("ordering: by subject, and by a member of data", "[lanes][ordering]") {
  const auto with = [](const std::string& id, const std::string& subject, const std::string& data) {
    return R"({"specversion":"1.0","id":")" + id + R"(","source":"/t","type":"t","subject":")" + subject +
           R"(","data":)" + data + "}";
  };
  Delivery subject = by_key(), member = by_key();
  member.ordering.key = "/order/id";
  Rig rig;
  auto& in = rig.source("in");
  auto& by_subject = rig.backend("by_subject", {"in"}, subject);
  auto& by_member = rig.backend("by_member", {"in"}, member);
  rig.build();
  in.offer_text(with("1", "s", R"({"order":{"id":1}})"));
  in.offer_text(with("2", "s", R"({"order":{"id":2}})"));
  in.offer_text(with("3", "t", R"({"order":{"id":1}})"));
  rig.step();
  CHECK(by_subject.ids() == Ids{"1", "3"});
  CHECK(by_member.ids() == Ids{"1", "2"});
}

TEST_CASE("ordering: at the end everything that waits is answered", "[lanes][ordering]") {
  Line line;
  line.rig.build();
  line.offer({"a1", "a2", "a3"});
  line.rig.step();
  line.rig.stop();
  CHECK(line.in.told.size() == 3);
  for (const Told& told : line.in.told) CHECK(told.outcome == Outcome::retry);
}

TEST_CASE("ordering: a node that breaks gives back what waits, too", "[lanes][ordering]") {
  Line line;
  line.rig.build();
  line.offer({"a1", "a2"});
  line.rig.step();
  line.out.complete("a1", SLUICE_FAILED, "bug");
  line.rig.step();
  CHECK(line.in.told.size() == 2);
}

TEST_CASE("ordering: a class that keeps order has several of a key under way; a failed one stops those behind it",
          "[lanes][ordering]") {
  Line line;
  line.rig.flags("out", SLUICE_KEEPS_ORDER);
  line.rig.build();
  line.offer({"a1", "a2", "a3"});
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "a2", "a3"});
  line.out.complete("a1");
  line.out.complete("a2", SLUICE_AGAIN, "busy");
  line.offer({"a4"});
  line.rig.step();
  line.out.complete("a3", SLUICE_AGAIN, "busy");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a1", "a2", "a3"});
  line.rig.advance(std::chrono::milliseconds(200));
  CHECK(line.out.ids() == Ids{"a1", "a2", "a3", "a2"});
  for (const char* id : {"a2", "a3", "a4"}) {
    line.out.complete(id);
    line.rig.step();
  }
  CHECK(line.out.ids() == Ids{"a1", "a2", "a3", "a2", "a3", "a4"});
}
