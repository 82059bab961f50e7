// Duplicates: what goes on, what joins, what is dropped, when a key counts as delivered, and when the source is told.
#include "catch.hh"
#include "rig.hh"

using namespace sluice;
using namespace sluice::test;
using std::chrono::hours;

namespace {

using Ids = std::vector<std::string>;

struct Line {  // in ── out, with dedup
  Rig rig;
  FakeSource& in = rig.source("in");
  FakeBackend& out = rig.backend("out", {"in"});
  FakeKeyStore::World world;

  explicit Line(bool stored = false) {
    if (stored) {
      rig.key_store("in", world);
    } else {
      rig.node("in").dedup.emplace();
    }
  }
};

std::string order(const std::string& id, const std::string& data) { return event_json(id, "t.plain", data); }

}  // namespace

TEST_CASE("dedup: a key that was delivered makes the next one dropped, with the reason", "[lanes][dedup]") {
  Line line;
  line.rig.build();
  const auto first = line.in.offer("a");
  line.rig.step();
  line.out.complete("a");
  line.rig.step();
  CHECK(line.in.of(first).outcome == Outcome::delivered);
  const auto again = line.in.offer("a");
  const auto other = line.in.offer("b");
  line.rig.step();
  CHECK(line.in.of(again).outcome == Outcome::dropped);
  CHECK(line.in.of(again).reason == "duplicate");
  CHECK(line.out.ids() == Ids{"a", "b"});
  CHECK_FALSE(line.in.heard(other));
  CHECK(line.rig.stats("in").duplicates_skipped.get() == 1);
  CHECK(line.rig.stats("in").keys_known.get() == 1);
}

TEST_CASE("dedup: a copy of an event under way waits for it and is told the same", "[lanes][dedup]") {
  Line line;
  line.rig.build();
  const auto first = line.in.offer("a");
  line.rig.step();
  const auto copy = line.in.offer("a");
  const auto in_one_pull = line.in.offer("a");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a"});
  CHECK_FALSE(line.in.heard(copy));
  line.out.complete("a", SLUICE_REJECTED, "no such table");
  line.rig.step();
  for (const auto tag : {first, copy, in_one_pull}) {
    REQUIRE(line.in.heard(tag));
    CHECK(line.in.of(tag).outcome == Outcome::rejected);
    CHECK(line.in.of(tag).reason == "out: no such table");
  }
}

TEST_CASE("dedup: what failed frees its key: the next one is handed over", "[lanes][dedup]") {
  Line line;
  line.rig.build();
  const auto first = line.in.offer("a");
  line.rig.step();
  line.out.complete("a", SLUICE_REJECTED, "no");
  line.rig.step();
  CHECK(line.in.of(first).outcome == Outcome::rejected);
  const auto again = line.in.offer("a");
  line.rig.step();
  line.out.complete("a");
  line.rig.step();
  CHECK(line.in.of(again).outcome == Outcome::delivered);
  CHECK(line.out.ids() == Ids{"a", "a"});
}

TEST_CASE("dedup: twice in one record is once, and the record ends as delivered", "[lanes][dedup]") {
  Line line;
  line.rig.build();
  const auto both = line.in.offer_text("[" + event_json("a") + "," + event_json("a") + "," + event_json("b") + "]");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a", "b"});
  line.out.complete_all();
  line.rig.step();
  CHECK(line.in.of(both).outcome == Outcome::delivered);
}

TEST_CASE("dedup: of a record that must come again, what was delivered is not handed over a second time",
          "[lanes][dedup]") {
  Rig rig;
  auto& in = rig.source("in");
  Delivery once = Rig::fast();
  once.retry.max_attempts = 1;
  auto& out = rig.backend("out", {"in"}, once);
  rig.node("in").dedup.emplace();
  rig.build();
  const std::string both = "[" + event_json("a") + "," + event_json("b") + "]";
  const auto first = in.offer_text(both);
  rig.step();
  out.complete("a");
  out.complete("b", SLUICE_AGAIN, "busy");
  rig.step();
  CHECK(in.of(first).outcome == Outcome::retry);
  const auto again = in.offer_text(both);
  rig.step();
  CHECK(out.ids() == Ids{"a", "b", "b"});
  out.complete("b");
  rig.step();
  CHECK(in.of(again).outcome == Outcome::dropped);
}

TEST_CASE("dedup: an event comes again with what was derived from it, when that failed", "[lanes][dedup]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& maker = rig.consumer("maker", {"in"});
  Delivery once = Rig::fast();
  once.retry.max_attempts = 1;
  auto& out = rig.backend("out", {"maker"}, once);
  rig.node("in").dedup.emplace();
  const std::string made = event_json("a/derived");
  maker.judge = [&](const sluice_batch& batch, std::uint8_t*, sluice_writer* writer, std::string&) {
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      sluice_record* record = SLUICE_RECORD(writer, writer->count++);
      record->ptr = reinterpret_cast<const std::uint8_t*>(made.data());
      record->len = made.size();
      record->parent = i;
    }
    return SLUICE_OK;
  };
  rig.build();
  const auto first = in.offer("a");
  rig.step();
  out.complete("a");
  out.complete("a/derived", SLUICE_AGAIN, "busy");
  rig.step();
  CHECK(in.of(first).outcome == Outcome::retry);
  const auto again = in.offer("a");
  rig.step();
  out.complete_all();
  rig.step();
  CHECK(in.of(again).outcome == Outcome::delivered);
  CHECK(out.ids() == Ids{"a", "a/derived", "a", "a/derived"});
}

TEST_CASE("dedup: a business key is found by pointers; without it an event passes and is counted", "[lanes][dedup]") {
  Line line;
  line.rig.node("in").dedup->key = {"/order/id", "/step"};
  line.rig.build();
  line.out.answers_at_once = true;
  line.in.offer_text(order("1", R"({"order":{"id":7},"step":"paid"})"));
  line.in.offer_text(order("2", R"({"step":"paid","order":{"id":7,"more":1}})"));
  line.in.offer_text(order("3", R"({"order":{"id":"7"},"step":"paid"})"));
  line.in.offer_text(order("4", R"({"order":{"id":7},"step":"sent"})"));
  line.in.offer_text(order("5", R"({"order":{"id":7}})"));
  line.in.offer_text(order("6", R"({"order":{"id":7}})"));
  line.rig.step();
  CHECK(line.out.ids() == Ids{"1", "3", "4", "5", "6"});
  CHECK(line.rig.stats("in").without_key.get() == 2);
}

TEST_CASE("dedup: a key is forgotten after its time, and the oldest before it when there are too many",
          "[lanes][dedup]") {
  Line line;
  line.rig.node("in").dedup->ttl = hours(1);
  line.rig.node("in").dedup->max_keys = 2;
  line.rig.build();
  line.out.answers_at_once = true;
  for (const char* id : {"a", "b", "c", "a", "c"}) {
    line.in.offer(id);
    line.rig.step();
  }
  CHECK(line.out.ids() == Ids{"a", "b", "c", "a"});
  CHECK(line.rig.stats("in").keys_forgotten.get() == 2);
  line.rig.advance(hours(2));
  line.in.offer("a");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a", "b", "c", "a", "a"});
}

TEST_CASE("dedup: the source is told only when the key is recorded", "[lanes][dedup]") {
  Line line(true);
  line.rig.build();
  const auto first = line.in.offer("a");
  line.rig.step();
  line.world.away = true;
  line.out.complete("a");
  line.rig.step();
  CHECK_FALSE(line.in.heard(first));
  const auto copy = line.in.offer("a");
  line.rig.step();
  CHECK(line.out.ids() == Ids{"a"});
  CHECK(line.rig.log.says("Key store is away"));
  CHECK(line.rig.pipeline().key_store_stats(0)->state.load() == NodeState::away);
  line.world.away = false;
  line.rig.advance(std::chrono::seconds(10));
  CHECK(line.in.of(first).outcome == Outcome::delivered);
  CHECK(line.in.of(copy).outcome == Outcome::delivered);
  CHECK(line.rig.log.says("Key store is back"));
  CHECK(line.world.keys.size() == 1);
}

TEST_CASE("dedup: a crash between recording and telling gives neither loss nor a second hand-over", "[lanes][dedup]") {
  FakeKeyStore::World world;
  {
    Rig rig;
    auto& in = rig.source("in");
    auto& out = rig.backend("out", {"in"});
    rig.key_store("in", world);
    rig.build();
    in.offer("a");
    in.offer("b");
    rig.step();
    out.complete("a");
    while (world.keys.empty()) rig.step(1);
  }  // gone, whatever the source had heard by then
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.answers_at_once = true;
  rig.key_store("in", world);
  rig.build();
  const auto a = in.offer("a");
  const auto b = in.offer("b");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::dropped);
  CHECK(in.of(b).outcome == Outcome::delivered);
  CHECK(out.ids() == Ids{"b"});
}

TEST_CASE("dedup: what another host recorded in a shared store is skipped; while the store is away nothing is pulled",
          "[lanes][dedup]") {
  FakeKeyStore::World world;
  world.shared = true;
  Rig one, two;
  auto& in_one = one.source("in");
  auto& out_one = one.backend("out", {"in"});
  one.key_store("in", world);
  auto& in_two = two.source("in");
  auto& out_two = two.backend("out", {"in"});
  two.key_store("in", world);
  one.build();
  two.build();
  out_one.answers_at_once = out_two.answers_at_once = true;
  in_one.offer("a");
  one.step();
  const auto a = in_two.offer("a");
  const auto b = in_two.offer("b");
  two.step();
  CHECK(in_two.of(a).outcome == Outcome::dropped);
  CHECK(in_two.of(b).outcome == Outcome::delivered);
  CHECK(out_two.ids() == Ids{"b"});
  world.away = true;
  const auto c = in_two.offer("c");
  two.step();
  in_two.offer("d");
  two.step();
  CHECK(in_two.waiting() == 1);
  CHECK_FALSE(in_two.heard(c));
  world.away = false;
  two.advance(std::chrono::seconds(10));
  CHECK(out_two.ids() == Ids{"b", "c", "d"});
}

TEST_CASE("dedup: a shared store that is away at the start is waited for; a store of one's own must open",
          "[lanes][dedup]") {
  Line shared(true);
  shared.world.shared = shared.world.away = true;
  shared.rig.build();
  shared.in.offer("a");
  shared.rig.step();
  CHECK(shared.out.ids().empty());
  shared.world.away = false;
  shared.rig.advance(std::chrono::seconds(10));
  CHECK(shared.out.ids() == Ids{"a"});
  Line own(true);
  own.world.away = true;
  CHECK_THROWS_WITH(own.rig.build(), Catch::Matchers::Contains("in.dedup: cannot start: no route"));
}

TEST_CASE("dedup: a stop waits for the keys, but not for ever", "[lanes][dedup]") {
  Line line(true);
  line.rig.build();
  const auto a = line.in.offer("a");
  line.rig.step();
  line.world.away = true;
  line.out.complete("a");
  line.rig.stop();
  CHECK(line.rig.pipeline().finished());
  CHECK(line.in.of(a).outcome == Outcome::delivered);
  CHECK(line.rig.log.says("Keys of delivered events are not recorded"));
}

TEST_CASE("dedup: in order, a duplicate is told in its turn", "[lanes][dedup]") {
  Line line;
  line.in.order = true;
  line.rig.build();
  line.out.answers_at_once = true;
  line.in.offer("a");
  line.rig.step();
  line.out.answers_at_once = false;
  const auto b = line.in.offer("b");
  const auto a = line.in.offer("a");
  line.rig.step();
  CHECK_FALSE(line.in.heard(a));
  line.out.complete("b");
  line.rig.step();
  CHECK(line.in.heard(a));
  CHECK(line.in.told[1].tag == b);
  CHECK(line.in.told[2].tag == a);
}

// ---- once: of some types, one event for each value of a key ----

namespace {

/// One of several hosts over one store: the completing events of a job.
struct Worker : Line {
  explicit Worker(FakeKeyStore::World& shared) {
    shared.shared = true;
    rig.key_store("in", shared);
    std::string why;
    rig.node("in").dedup->once = {*Filter::parse(R"({"types":["*.completed"]})", why), {"*.completed"}, "/job"};
    rig.build();
  }
  std::uint64_t completed(const std::string& id, const std::string& job) {
    const auto tag = in.offer_text(event_json(id, "t.completed", R"({"job":")" + job + "\"}"));
    rig.step();
    return tag;
  }
};

}  // namespace

TEST_CASE("dedup once: of two events that complete a job at two hosts one goes on", "[lanes][dedup]") {
  FakeKeyStore::World shared;
  Worker one(shared), two(shared);
  const auto first = one.completed("a", "j");
  const auto second = two.completed("b", "j");  // while the first is under way
  CHECK(one.out.ids() == Ids{"a"});
  CHECK(two.out.ids().empty());
  CHECK(two.in.of(second).reason == "duplicate");
  one.out.complete("a");
  one.rig.step();
  CHECK(one.in.of(first).outcome == Outcome::delivered);
  CHECK(two.in.of(two.completed("c", "j")).reason == "duplicate");
  two.completed("d", "other");
  CHECK(two.out.ids() == Ids{"d"});
}

TEST_CASE("dedup once: the event that has the claim goes on wherever it comes again after a crash", "[lanes][dedup]") {
  FakeKeyStore::World shared;
  {
    Worker one(shared);
    one.completed("a", "j");
    CHECK(one.out.ids() == Ids{"a"});
  }  // it ends without a word
  Worker two(shared);
  const auto other = two.in.offer_text(event_json("b", "t.completed", R"({"job":"j"})"));
  const auto again = two.in.offer_text(event_json("a", "t.completed", R"({"job":"j"})"));
  two.rig.step();
  CHECK(two.in.of(other).reason == "duplicate");
  CHECK(two.out.ids() == Ids{"a"});
  two.out.complete("a");
  two.rig.step();
  CHECK(two.in.of(again).outcome == Outcome::delivered);
}

TEST_CASE("dedup once: a claim ends when its event was rejected, and stays when it comes again", "[lanes][dedup]") {
  FakeKeyStore::World shared;
  Worker one(shared), two(shared);
  one.completed("a", "j");
  one.out.complete("a", SLUICE_REJECTED, "no");
  one.rig.step();
  CHECK(shared.claims.empty());
  two.completed("b", "j");
  CHECK(two.out.ids() == Ids{"b"});
}

TEST_CASE("dedup once: with key none nothing else is left out, and an event without the key goes on",
          "[lanes][dedup]") {
  Rig rig;
  FakeSource& in = rig.source("in");
  FakeBackend& out = rig.backend("out", {"in"});
  rig.node("in").dedup.emplace();
  rig.node("in").dedup->only_once = true;
  std::string why;
  rig.node("in").dedup->once = {*Filter::parse(R"({"types":["*.completed"]})", why), {"*.completed"}, "/job"};
  rig.build();
  for (const char* type : {"t.plain", "t.plain", "t.completed", "t.completed"})
    in.offer_text(event_json("a", type, "{}"));
  in.offer_text(event_json("b", "t.completed", R"({"job":1})"));
  in.offer_text(event_json("c", "t.completed", R"({"job":1})"));
  rig.step();
  CHECK(out.ids() == Ids{"a", "a", "a", "a", "b"});
  CHECK(rig.stats("in").without_key.get() == 0);
}
