// What a backend lane does with failure: retry, away, breaker, rate limit, dead letters, broken contracts.
#include "catch.hh"
#include "rig.hh"

#include <sluice/ext/codes.h>

#include <algorithm>

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

TEST_CASE("retry: a failed event comes again with a new ticket, alone, and its block is not held", "[lanes][retry]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  const auto a = in.offer("a");
  const auto b = in.offer("b");
  rig.step();
  out.complete("a", SLUICE_AGAIN, "busy");
  out.complete("b");
  rig.step();
  CHECK(in.of(b).outcome == Outcome::delivered);
  CHECK(out.taken.size() == 2);
  rig.advance(milliseconds(99));
  CHECK(out.taken.size() == 2);
  rig.advance(milliseconds(2));
  REQUIRE(out.taken.size() == 3);
  CHECK(out.taken[2].id == "a");
  CHECK(out.taken[2].ticket > out.taken[1].ticket);
  CHECK(out.taken[2].json == event_json("a"));
  out.complete("a");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
}

TEST_CASE("retry: max_attempts counts tries; the source hears the last reason", "[lanes][retry]") {
  Rig rig;
  Delivery three = Rig::fast();
  three.retry.max_attempts = 3;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, three);
  rig.build();
  const auto a = in.offer("a");
  for (int i = 0; i < 3; ++i) {
    rig.advance(milliseconds(101));
    out.complete("a", SLUICE_AGAIN, "503");
    rig.step();
  }
  CHECK(out.taken.size() == 3);
  CHECK(in.of(a).outcome == Outcome::retry);
  CHECK(in.of(a).reason.find("gave up after 3 attempts: 503") != std::string::npos);
}

TEST_CASE("retry: a Retry-After is waited for even when the back-off is shorter", "[lanes][retry]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  in.offer("a");
  rig.step();
  out.complete("a", SLUICE_AGAIN, "slow down", 5000);
  rig.step();
  rig.advance(milliseconds(4900));
  CHECK(out.taken.size() == 1);
  rig.advance(milliseconds(200));
  CHECK(out.taken.size() == 2);
}

TEST_CASE("away: nothing is charged to the event, however often the far side is not there", "[lanes][away]") {
  Rig rig;
  Delivery once = Rig::fast();
  once.retry.max_attempts = 1;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, once);
  out.away = true;
  rig.build();
  const auto a = in.offer("a");
  for (int i = 0; i < 20; ++i) rig.advance(milliseconds(6000));
  CHECK_FALSE(in.heard(a));
  CHECK(out.publishes > 10);
  CHECK(rig.stats("out").state.load() == NodeState::away);
  CHECK(rig.log.count("Backend is away") == 1);  // said once, not per try
  out.away = false;
  rig.advance(milliseconds(6000));
  out.complete("a");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
  CHECK(rig.log.count("Backend is back") == 1);
}

TEST_CASE("away: max_age bounds the wait", "[lanes][away]") {
  Rig rig;
  Delivery short_lived = Rig::fast();
  short_lived.retry.max_age = milliseconds(2000);
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, short_lived);
  out.away = true;
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  rig.advance(milliseconds(1900));
  CHECK_FALSE(in.heard(a));
  rig.advance(milliseconds(200));
  CHECK(in.of(a).outcome == Outcome::retry);
  CHECK(in.of(a).reason.find("not delivered within 2000 ms") != std::string::npos);
}

TEST_CASE("start: a backend that is away at the start gets its events later", "[lanes][away]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.start_with = {SLUICE_AWAY, "connection refused"};
  out.answers_at_once = true;
  rig.build();
  const auto a = in.offer("a");
  rig.advance(milliseconds(6000));
  CHECK(out.publishes == 0);
  out.start_with = {};
  rig.advance(milliseconds(6000));
  CHECK(in.of(a).outcome == Outcome::delivered);
}

TEST_CASE("timeout and cancelled: offered again, no attempt is counted", "[lanes][retry]") {
  Rig rig;
  Delivery once = Rig::fast();
  once.retry.max_attempts = 1;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, once);
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  out.complete("a", SLUICE_TIMEOUT);
  rig.step();
  rig.advance(milliseconds(6000));
  out.complete("a", SLUICE_CANCELLED);
  rig.step();
  rig.advance(milliseconds(6000));
  REQUIRE(out.taken.size() == 3);
  out.complete("a");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
  CHECK(rig.stats("out").duplicates_possible.get() == 1);
}

TEST_CASE("again, perhaps delivered: the attempt is charged, and what is offered again may come twice",
          "[lanes][retry]") {
  Rig rig;
  Delivery twice = Rig::fast();
  twice.retry.max_attempts = 2;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, twice);
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  out.complete("a", SLUICE_AGAIN, "no answer", 0, SLUICE_CODE_PERHAPS_DELIVERED);
  rig.step();
  CHECK(rig.stats("out").duplicates_possible.get() == 1);
  rig.advance(milliseconds(6000));
  out.complete("a", SLUICE_AGAIN, "no answer", 0, SLUICE_CODE_PERHAPS_DELIVERED);
  rig.step();
  CHECK(in.of(a).outcome == Outcome::retry);  // its attempts are used up: it is not offered again
  CHECK(rig.stats("out").attempts.get() == 2);
  CHECK(rig.stats("out").timeouts.get() == 2);
  CHECK(rig.stats("out").duplicates_possible.get() == 1);
}

TEST_CASE("breaker: opens on the failure rate, holds events, tries one, and closes", "[lanes][breaker]") {
  Rig rig;
  Delivery guarded = Rig::fast();
  guarded.retry.max_attempts = 100;
  guarded.breaker = {BreakerPolicy::OnOpen::hold, true, 0.5, 10, 4, milliseconds(1000)};
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, guarded);
  rig.build();
  for (int i = 0; i < 4; ++i) in.offer("e" + std::to_string(i));
  rig.step();
  out.complete_all(SLUICE_AGAIN, "down");
  rig.step();
  CHECK(rig.stats("out").breaker.load() == BreakerState::open);
  CHECK(rig.log.says("Circuit breaker opened"));
  rig.advance(milliseconds(900));
  CHECK(out.taken.size() == 4);  // held
  rig.advance(milliseconds(200));
  REQUIRE(out.taken.size() == 5);  // one probe
  out.complete(out.taken.back().id, SLUICE_AGAIN, "still down");
  rig.step();
  CHECK(rig.stats("out").breaker.load() == BreakerState::open);
  rig.advance(milliseconds(1100));
  REQUIRE(out.taken.size() == 6);
  out.complete(out.taken.back().id);
  rig.step();
  CHECK(rig.stats("out").breaker.load() == BreakerState::closed);
  CHECK(out.taken.size() == 9);  // the other three at once
}

TEST_CASE("breaker: on_open dead_letter sheds what waits", "[lanes][breaker][dead_letter]") {
  Rig rig;
  Delivery guarded = Rig::fast();
  guarded.retry.max_attempts = 100;
  guarded.breaker = {BreakerPolicy::OnOpen::dead_letter, true, 0.5, 10, 2, milliseconds(60'000)};
  guarded.dead_letter = "parked";
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, guarded);
  auto& parked = rig.backend("parked", {});
  parked.answers_at_once = true;
  rig.build();
  const auto a = in.offer("a");
  const auto b = in.offer("b");
  rig.step();
  out.complete_all(SLUICE_AGAIN, "down");
  rig.step();
  CHECK(parked.ids() == std::vector<std::string>{"a", "b"});
  CHECK(in.of(a).outcome == Outcome::rejected);
  CHECK(in.of(b).outcome == Outcome::rejected);
}

TEST_CASE("dead letter: carries reason, node, attempts, code and times; id, source, type and data stay",
          "[lanes][dead_letter]") {
  Rig rig;
  Delivery with = Rig::fast();
  with.dead_letter = "parked";
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, with);
  auto& parked = rig.backend("parked", {});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  out.complete("a", SLUICE_AGAIN, "busy");
  rig.step();
  rig.advance(milliseconds(101));
  out.complete("a", SLUICE_REJECTED, "bad\nfield", 0, 422);
  rig.step();
  REQUIRE(parked.taken.size() == 1);
  const std::string& json = parked.taken[0].json;
  for (const char* part :
       {R"("id":"a")", R"("source":"/test")", R"("type":"t.plain")", R"("data":{"n":1})", R"("sluiceerrornode":"out")",
        R"("sluiceerrorreason":"bad field")", R"("sluiceerrorattempts":"2")", R"("sluiceerrorcode":"422")",
        R"("sluiceerrorfirst":"20)", R"("sluiceerrorlast":"20)"}) {
    INFO(part << " in " << json);
    CHECK(json.find(part) != std::string::npos);
  }
  CHECK_FALSE(in.heard(a));
  parked.complete_all();
  rig.step();
  CHECK(in.of(a).outcome == Outcome::rejected);
  CHECK(in.of(a).reason == "out: bad\nfield; dead-lettered to parked");
  CHECK(rig.stats("out").dead_lettered.get() == 1);
}

TEST_CASE("without a dead letter the log names node, event and reason, ten in a second and a count of the others",
          "[lanes][dead_letter]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  for (int i = 0; i < 25; ++i) (void)in.offer("e" + std::to_string(i));
  rig.step();
  out.complete_all(SLUICE_REJECTED, "larger than 1048576 bytes");
  rig.step();
  CHECK(rig.log.count("Event was rejected, and there is no dead letter") == 10);
  CHECK(rig.log.says("node=out event_id=e0 event_type=t.plain reason=larger than 1048576 bytes code=0 attempts=1"));
  CHECK_FALSE(rig.log.says("not listed"));
  rig.advance(milliseconds(1000));
  CHECK(rig.log.says("not listed) node=out count=15"));
  rig.advance(milliseconds(1000));
  CHECK(rig.log.count("not listed") == 1);
}

TEST_CASE("what a dead letter keeps is not in the log as well", "[lanes][dead_letter]") {
  Rig rig;
  Delivery with = Rig::fast();
  with.dead_letter = "parked";
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, with);
  rig.backend("parked", {}).answers_at_once = true;
  rig.build();
  (void)in.offer("a");
  rig.step();
  out.complete_all(SLUICE_REJECTED, "too large");
  rig.step();
  CHECK(rig.stats("out").dead_lettered.get() == 1);
  CHECK_FALSE(rig.log.says("no dead letter"));
}

TEST_CASE("dead letter: when that fails as well, the event is not delivered", "[lanes][dead_letter]") {
  Rig rig;
  Delivery with = Rig::fast();
  with.dead_letter = "parked";
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, with);
  auto& parked = rig.backend("parked", {});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  out.complete("a", SLUICE_REJECTED, "no");
  rig.step();
  parked.complete("a", SLUICE_REJECTED, "neither");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::retry);
}

TEST_CASE("when_full dead_letter: what does not fit is parked, with that reason", "[lanes][dead_letter][credit]") {
  Rig rig;
  Delivery small = Rig::fast();
  small.queue.max_events = 2;
  small.when_full = WhenFull::dead_letter;
  small.dead_letter = "parked";
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, small);
  auto& parked = rig.backend("parked", {});
  rig.build();
  for (const char* id : {"a", "b", "c"}) in.offer(id);
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a", "b"});
  REQUIRE(parked.ids() == std::vector<std::string>{"c"});
  CHECK(parked.taken[0].json.find("the queue of out is full") != std::string::npos);
}

TEST_CASE("rate limit: no more than the rate, and the rest follows", "[lanes][rate]") {
  Rig rig;
  Delivery limited = Rig::fast();
  limited.rate_per_second = 100;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, limited);
  out.answers_at_once = true;
  rig.build();
  for (int i = 0; i < 50; ++i) in.offer("e" + std::to_string(i));
  rig.step();
  CHECK(out.taken.size() == 10);  // a tenth of a second at once
  rig.advance(milliseconds(100));
  CHECK(out.taken.size() == 20);
  for (int i = 0; i < 3; ++i) rig.advance(milliseconds(100));
  CHECK(out.taken.size() == 50);
}

TEST_CASE("a prefix is enough: the rest is offered again", "[lanes]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.room = 2;
  rig.build();
  for (const char* id : {"a", "b", "c"}) in.offer(id);
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a", "b"});
  out.room = 10;
  out.complete("a");
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("flush: comes once the queue is empty", "[lanes]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  in.offer("a");
  rig.step();
  CHECK(out.flushes == 1);
}

TEST_CASE("contract: an event completed twice stops the node by name, the sibling goes on", "[lanes][contract]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& bad = rig.backend("bad", {"in"});
  auto& good = rig.backend("good", {"in"});
  good.answers_at_once = true;
  rig.build();
  in.offer("a");
  const auto b = in.offer("b");
  rig.step();
  bad.events->complete(bad.taken[0].ticket, 1, nullptr);
  bad.events->complete(bad.taken[0].ticket, 1, nullptr);
  rig.step();
  CHECK(rig.stats("bad").state.load() == NodeState::broken);
  CHECK(rig.stats("bad").breaches.get() == 1);
  CHECK(rig.log.says("twice"));
  CHECK(in.of(b).outcome == Outcome::retry);
  const auto c = in.offer("c");
  rig.step();
  CHECK(good.ids().back() == "c");
  CHECK(in.of(c).outcome == Outcome::retry);  // acknowledge all: bad does not have it
}

TEST_CASE("contract: a ticket that was never given out stops the node", "[lanes][contract]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& bad = rig.backend("bad", {"in"});
  rig.build();
  in.offer("a");
  rig.step();
  bad.events->complete(4711, 1, nullptr);
  rig.step();
  CHECK(rig.stats("bad").state.load() == NodeState::broken);
  CHECK(rig.log.says("never given out"));
}

TEST_CASE("contract: what is not completed within the publish deadline breaks the node, and nothing hangs",
          "[lanes][contract]") {
  Rig rig;
  Delivery strict = Rig::fast();
  strict.publish_deadline = milliseconds(500);
  auto& in = rig.source("in");
  auto& bad = rig.backend("bad", {"in"}, strict);
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  rig.advance(milliseconds(499));
  CHECK_FALSE(in.heard(a));
  rig.advance(milliseconds(2));
  CHECK(in.of(a).outcome == Outcome::retry);
  CHECK(rig.stats("bad").state.load() == NodeState::broken);
  bad.complete("a");  // late: its memory is still there, its word no longer counts
  rig.step();
  CHECK(in.heard(a));
}

TEST_CASE("redact: the named fields reach neither the backend nor its dead letters", "[lanes][redact]") {
  Rig rig;
  Delivery with = Rig::fast();
  with.dead_letter = "parked";
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, with);
  auto& parked = rig.backend("parked", {});
  rig.node("out").redact = {"/text"};
  rig.build();
  const auto a = in.offer_text(event_json("a", "t", R"({"text":"canary","n":1})"));
  rig.step();
  REQUIRE(out.taken.size() == 1);
  CHECK(out.taken[0].json.find("canary") == std::string::npos);
  CHECK(out.taken[0].json.find(R"("n":1)") != std::string::npos);
  out.complete("a", SLUICE_REJECTED, "no");
  rig.step();
  REQUIRE(parked.taken.size() == 1);
  CHECK(parked.taken[0].json.find("canary") == std::string::npos);
  parked.complete_all();
  rig.step();
  CHECK(in.heard(a));
  CHECK(rig.pipeline().lanes().front()->idle());
}
