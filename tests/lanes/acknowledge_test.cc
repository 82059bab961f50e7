// What a source is told, and when: acknowledge all, any, a list; filters; rejects; arrays; order.
#include "catch.hh"
#include "rig.hh"

using namespace sluice;
using namespace sluice::test;

namespace {
Filter filter(const char* json) {
  std::string why;
  auto made = Filter::parse(json, why);
  REQUIRE(made.has_value());
  return *made;
}
}  // namespace

TEST_CASE("acknowledge all: a record is settled once, by its slowest and worst backend", "[lanes][ack]") {
  // in --+-- fast
  //      +-- slow
  Rig rig;
  auto& in = rig.source("in");
  auto& fast = rig.backend("fast", {"in"});
  auto& slow = rig.backend("slow", {"in"});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  fast.complete("a");
  rig.step();
  CHECK_FALSE(in.heard(a));
  slow.complete("a", SLUICE_REJECTED, "no such table");
  rig.step();
  REQUIRE(in.heard(a));
  CHECK(in.of(a).outcome == Outcome::rejected);
  CHECK(in.of(a).reason == "slow: no such table");
}

TEST_CASE("acknowledge any: the source hears at the first delivery, and never a second time", "[lanes][ack]") {
  Rig rig;
  auto& in = rig.source("in", {Acknowledge::Mode::any, {}});
  auto& good = rig.backend("good", {"in"});
  auto& bad = rig.backend("bad", {"in"});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  good.complete("a");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
  bad.complete("a", SLUICE_REJECTED, "late");
  rig.step();
  CHECK(in.heard(a));
}

TEST_CASE("acknowledge any: nobody took it, so it is not delivered", "[lanes][ack]") {
  Rig rig;
  auto& in = rig.source("in", {Acknowledge::Mode::any, {}});
  Delivery once = Rig::fast();
  once.retry.max_attempts = 1;
  auto& one = rig.backend("one", {"in"}, once);
  auto& two = rig.backend("two", {"in"}, once);
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  one.complete("a", SLUICE_AGAIN, "busy");
  two.complete("a", SLUICE_AGAIN, "busy");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::retry);
}

TEST_CASE("acknowledge a list: the others deliver, but the source does not wait for them", "[lanes][ack]") {
  Rig rig;
  auto& in = rig.source("in", {Acknowledge::Mode::nodes, {"main"}});
  auto& main = rig.backend("main", {"in"});
  auto& side = rig.backend("side", {"in"});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  CHECK(side.ids() == std::vector<std::string>{"a"});
  main.complete("a");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
}

TEST_CASE("a filter is neutral: an event that no backend wants is dropped, others are judged by who wants them",
          "[lanes][ack]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& orders = rig.backend("orders", {"in"});
  auto& all = rig.backend("all", {"in"});
  rig.node("orders").when = filter(R"({"types":["order.*"]})");
  rig.node("all").when = filter(R"({"not":{"exact":{"type":"noise"}}})");
  rig.build();
  const auto noise = in.offer("n", "noise");
  const auto order = in.offer("o", "order.made");
  const auto other = in.offer("x", "other");
  rig.step();
  CHECK(in.of(noise).outcome == Outcome::dropped);
  CHECK(orders.ids() == std::vector<std::string>{"o"});
  CHECK(all.ids() == std::vector<std::string>{"o", "x"});
  all.complete_all();
  rig.step();
  CHECK(in.of(other).outcome == Outcome::delivered);
  CHECK_FALSE(in.heard(order));
  orders.complete_all();
  rig.step();
  CHECK(in.of(order).outcome == Outcome::delivered);
}

TEST_CASE("undecodable: the record is rejected with its code, the others of the pull go on", "[lanes][ack]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.answers_at_once = true;
  rig.build();
  const auto good = in.offer("a");
  const auto bad = in.offer_text(R"({"specversion":"1.0","id":"b")");
  const auto missing = in.offer_text(R"({"specversion":"1.0","source":"/s","type":"t"})");
  rig.step();
  CHECK(in.of(good).outcome == Outcome::delivered);
  CHECK(in.of(bad).outcome == Outcome::rejected);
  CHECK(in.of(bad).code == SLUICE_CODE_UNDECODABLE);
  CHECK(in.of(missing).reason.find("missing_required") != std::string::npos);
  CHECK(rig.stats("in").undecodable.get() == 2);
}

TEST_CASE("undecodable: with a dead letter the bytes are kept as an event, and the source still hears a no",
          "[lanes][ack][dead_letter]") {
  Rig rig;
  auto& in = rig.source("in");
  rig.node("in").delivery.dead_letter = "parked";
  auto& out = rig.backend("out", {"in"});
  auto& parked = rig.backend("parked", {});
  rig.build();
  const auto bad = in.offer_text("not json");
  rig.step();
  CHECK(out.taken.empty());
  REQUIRE(parked.taken.size() == 1);
  CHECK(parked.taken[0].json.find("io.sluice.undecodable") != std::string::npos);
  CHECK(parked.taken[0].json.find("sluiceerrorreason") != std::string::npos);
  CHECK(parked.taken[0].json.find("bm90IGpzb24=") != std::string::npos);  // the bytes, base64
  CHECK_FALSE(in.heard(bad));
  parked.complete_all();
  rig.step();
  CHECK(in.of(bad).outcome == Outcome::rejected);
}

TEST_CASE("an array is one record: it is settled when its last event is, as its worst one", "[lanes][ack]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  const auto both = in.offer_text("[" + event_json("a") + "," + event_json("b") + "]");
  rig.step();
  out.complete("a");
  rig.step();
  CHECK_FALSE(in.heard(both));
  out.complete("b", SLUICE_REJECTED, "no");
  rig.step();
  CHECK(in.of(both).outcome == Outcome::rejected);
}

TEST_CASE("an array longer than a batch goes on in slices", "[lanes][ack]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.answers_at_once = true;
  rig.build();
  std::string text = "[";
  for (int i = 0; i < 100; ++i) text += (i > 0 ? "," : "") + event_json("e" + std::to_string(i));
  const auto many = in.offer_text(text + "]");
  rig.step(20);
  CHECK(out.taken.size() == 100);
  CHECK(in.of(many).outcome == Outcome::delivered);
}

TEST_CASE("in order: records are settled in the order of the pull, whatever the backend does", "[lanes][ack]") {
  Rig rig;
  auto& in = rig.source("in");
  in.order = true;
  auto& out = rig.backend("out", {"in"});
  rig.build();
  for (const char* id : {"a", "b", "c"}) in.offer(id);
  rig.step();
  out.complete("c");
  out.complete("b");
  rig.step();
  CHECK(in.told.empty());
  out.complete("a");
  rig.step();
  REQUIRE(in.told.size() == 3);
  CHECK(in.told[0].tag == 1);
  CHECK(in.told[2].tag == 3);
}

TEST_CASE("back-pressure: without credit nothing is pulled; with credit again the rest comes", "[lanes][credit]") {
  Rig rig;
  Delivery small = Rig::fast();
  small.queue.max_events = 16;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, small);
  rig.build();
  for (int i = 0; i < 64; ++i) in.offer("e" + std::to_string(i));
  rig.step();
  CHECK(out.taken.size() == 16);
  CHECK(in.waiting() == 48);
  out.complete_all();
  rig.step();
  CHECK(out.taken.size() == 32);
  for (int i = 0; i < 4; ++i) {
    out.complete_all();
    rig.step();
  }
  CHECK(in.told.size() == 64);
}

TEST_CASE("drop_newest: a full backend sheds and is counted, its sibling is not held up", "[lanes][credit]") {
  Rig rig;
  Delivery small = Rig::fast();
  small.queue.max_events = 4;
  small.when_full = WhenFull::drop_newest;
  auto& in = rig.source("in", {Acknowledge::Mode::any, {}});
  auto& stuck = rig.backend("stuck", {"in"}, small);
  auto& good = rig.backend("good", {"in"});
  good.answers_at_once = true;
  rig.build();
  for (int i = 0; i < 20; ++i) in.offer("e" + std::to_string(i));
  rig.step();
  CHECK(good.taken.size() == 20);
  CHECK(stuck.taken.size() == 4);
  CHECK(rig.stats("stuck").dropped_full.get() == 16);
  CHECK(in.told.size() == 20);
}

TEST_CASE("an overflow drop counts as failed, never as delivered", "[lanes][credit]") {
  Rig rig;
  Delivery small = Rig::fast();
  small.queue.max_events = 1;
  small.when_full = WhenFull::drop_newest;
  auto& in = rig.source("in");
  rig.backend("stuck", {"in"}, small);
  rig.build();
  in.offer("a");
  const auto b = in.offer("b");
  rig.step();
  CHECK(in.of(b).outcome == Outcome::retry);
  CHECK(in.of(b).code == SLUICE_CODE_FULL);
}
