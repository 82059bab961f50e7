// Inline consumers: verdicts, ports, derived events, replacement, halts. And the stop.
#include "catch.hh"
#include "rig.hh"

#include <cstring>

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

namespace {

std::string id_at(const sluice_batch& in, std::uint32_t i) {
  const sluice_event* event = SLUICE_EVENT(&in, i);
  return {event->text + event->id.at, event->id.len};
}

sluice_attribute text_attribute(const char* name, const char* value) {
  return {{name, std::strlen(name)}, {value, std::strlen(value)}, SLUICE_STRING, 0};
}

}  // namespace

TEST_CASE("verdicts: pass, drop and reject go their ways, with the reason", "[lanes][consumer]") {
  // in -> judge -> out
  //          `- rejected -> bin
  Rig rig;
  auto& in = rig.source("in");
  auto& judge = rig.consumer("judge", {"in"}, 0);
  auto& out = rig.backend("out", {"judge"});
  auto& bin = rig.backend("bin", {"judge.rejected"});
  out.answers_at_once = bin.answers_at_once = true;
  judge.judge = [&](const sluice_batch& batch, std::uint8_t* verdict, sluice_writer*, std::string&) {
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      if (id_at(batch, i) == "drop") verdict[i] = SLUICE_TO_DROP;
      if (id_at(batch, i) == "reject") {
        verdict[i] = SLUICE_TO_REJECT;
        judge.events->explain(i, "too old");
      }
    }
    return sluice_status{SLUICE_OK};
  };
  rig.build();
  const auto pass = in.offer("pass");
  const auto drop = in.offer("drop");
  const auto reject = in.offer("reject");
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"pass"});
  CHECK(bin.ids() == std::vector<std::string>{"reject"});
  CHECK(in.of(pass).outcome == Outcome::delivered);
  CHECK(in.of(drop).outcome == Outcome::dropped);
  CHECK(in.of(reject).outcome == Outcome::rejected);
  CHECK(in.of(reject).reason == "rejected by judge: too old");
}

TEST_CASE("ports: a verdict names the port, the port names the branch", "[lanes][consumer]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& router = rig.consumer("router", {"in"}, 0, {"big"});
  auto& small = rig.backend("small", {"router"});
  auto& big = rig.backend("big", {"router.big"});
  router.judge = [&](const sluice_batch& batch, std::uint8_t* verdict, sluice_writer*, std::string&) {
    for (std::uint32_t i = 0; i < batch.count; ++i) verdict[i] = id_at(batch, i)[0] == 'B' ? 1 : 0;
    return sluice_status{SLUICE_OK};
  };
  rig.build();
  for (const char* id : {"a", "B1", "c", "B2"}) in.offer(id);
  rig.step();
  CHECK(small.ids() == std::vector<std::string>{"a", "c"});
  CHECK(big.ids() == std::vector<std::string>{"B1", "B2"});
}

TEST_CASE("derived events: shares its cause's outcome, has a stable id, comes behind the batch", "[lanes][consumer]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& maker = rig.consumer("maker", {"in"});
  auto& out = rig.backend("out", {"maker"});
  const sluice_attribute headers[] = {text_attribute("type", "t.derived")};
  maker.judge = [&](const sluice_batch& batch, std::uint8_t*, sluice_writer* writer, std::string&) {
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      if (id_at(batch, i) != "cause") continue;
      sluice_record* record = SLUICE_RECORD(writer, writer->count++);
      record->ptr = reinterpret_cast<const std::uint8_t*>("{}");
      record->len = 2;
      record->headers = headers;
      record->header_count = 1;
      record->flags = SLUICE_ATTRIBUTES;
      record->parent = i;
    }
    return sluice_status{SLUICE_OK};
  };
  rig.build();
  const auto cause = in.offer("cause");
  in.offer("other");
  rig.step();
  REQUIRE(out.taken.size() == 3);
  CHECK(out.taken[2].json.find(R"("type":"t.derived")") != std::string::npos);
  CHECK(out.taken[2].json.find(R"("source":"/test")") != std::string::npos);
  const std::string derived = out.taken[2].id;
  out.complete("cause");
  out.complete("other");
  rig.step();
  CHECK_FALSE(in.heard(cause));  // the derived event is still on its way
  out.complete(derived, SLUICE_REJECTED, "no");
  rig.step();
  CHECK(in.of(cause).outcome == Outcome::rejected);
  // The same cause again gives the same id again.
  in.offer("cause");
  rig.step();
  CHECK(out.taken.back().id == derived);
}

TEST_CASE("replaces: the new event takes the place of the old one", "[lanes][consumer]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& enrich = rig.consumer("enrich", {"in"});
  auto& out = rig.backend("out", {"enrich"});
  out.answers_at_once = true;
  const std::string richer = event_json("a", "t.plain", R"({"n":1,"more":true})");
  enrich.judge = [&](const sluice_batch& batch, std::uint8_t*, sluice_writer* writer, std::string&) {
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      if (id_at(batch, i) != "a") continue;
      sluice_record* record = SLUICE_RECORD(writer, writer->count++);
      record->ptr = reinterpret_cast<const std::uint8_t*>(richer.data());
      record->len = richer.size();
      record->flags = SLUICE_REPLACES;
      record->parent = i;
    }
    return sluice_status{SLUICE_OK};
  };
  rig.build();
  const auto a = in.offer("a");
  in.offer("b");
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a", "b"});
  CHECK(out.taken[0].json == richer);
  CHECK(in.of(a).outcome == Outcome::delivered);
}

TEST_CASE("replaces: every event of a batch may be replaced, and no more than the bound may be added",
          "[lanes][consumer]") {
  Rig rig;
  rig.config.batch_events = 256;
  auto& in = rig.source("in");
  auto& enrich = rig.consumer("enrich", {"in"});
  auto& out = rig.backend("out", {"enrich"});
  out.answers_at_once = true;
  std::vector<std::string> texts;
  std::uint32_t added = 0;
  enrich.judge = [&](const sluice_batch& batch, std::uint8_t*, sluice_writer* writer, std::string&) {
    const auto add = [&](const std::string& text, std::uint32_t flags, std::uint32_t parent) {
      if (writer->count == writer->cap && writer->grow(writer, 1, 0) == 0) return false;
      sluice_record* record = SLUICE_RECORD(writer, writer->count++);
      record->ptr = reinterpret_cast<const std::uint8_t*>(text.data());
      record->len = text.size();
      record->flags = flags;
      record->parent = parent;
      return true;
    };
    texts.clear();
    for (std::uint32_t i = 0; i < batch.count; ++i) texts.push_back(event_json(id_at(batch, i), "t.replaced"));
    for (std::uint32_t i = 0; i < batch.count; ++i) REQUIRE(add(texts[i], SLUICE_REPLACES, i));
    added = 0;
    const std::string more = event_json("more", "t.more");
    while (added < 1000 && add(more, 0, 0)) ++added;
    writer->count -= added;  // only the room for them is of interest
    return sluice_status{SLUICE_OK};
  };
  rig.build();
  for (int i = 0; i < 200; ++i) in.offer("e" + std::to_string(i));
  for (int i = 0; i < 10 && out.taken.size() < 200; ++i) rig.step();
  REQUIRE(out.taken.size() == 200);
  CHECK(out.taken[199].json == event_json("e199", "t.replaced"));
  CHECK(added == limits::kDerivedPerCall);
}

TEST_CASE("timers: what a batch brought about is told once, and what a timer makes has its own turn",
          "[lanes][consumer]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& maker = rig.consumer("maker", {"in"});
  auto& out = rig.backend("out", {"maker"});
  out.answers_at_once = true;
  const sluice_attribute headers[] = {text_attribute("type", "t.made"), text_attribute("source", "/maker")};
  const auto add = [&](sluice_writer* writer, std::uint32_t parent) {
    sluice_record* record = SLUICE_RECORD(writer, writer->count++);
    record->ptr = reinterpret_cast<const std::uint8_t*>("{}");
    record->len = 2;
    record->headers = headers;
    record->header_count = 2;
    record->flags = SLUICE_ATTRIBUTES;
    record->parent = parent;
  };
  maker.judge = [&](const sluice_batch&, std::uint8_t*, sluice_writer* writer, std::string&) {
    add(writer, 0);
    return sluice_status{SLUICE_OK};
  };
  int timers = 0;
  maker.timer = [&](std::uint64_t, sluice_writer* writer) {
    if (++timers > 1) add(writer, SLUICE_NO_PARENT);
    return std::uint32_t{1000};
  };
  rig.build();
  in.offer("a");
  rig.step();
  for (int i = 0; i < 5; ++i) rig.step();  // the timer is not due
  CHECK(timers == 1);
  CHECK(out.taken.size() == 2);
  rig.clock.advance(milliseconds(1000));
  rig.step();
  CHECK(timers == 2);
  in.offer("b");
  rig.step();
  rig.step();
  CHECK(out.taken.size() == 5);  // a and its own, the timer's, b and its own
}

TEST_CASE("halt: the event that caused it goes on, the later ones are refused with the text, the run ends",
          "[lanes][consumer][halt]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& judge = rig.consumer("judge", {"in"});
  auto& out = rig.backend("out", {"judge"});
  out.answers_at_once = true;
  judge.judge = [&](const sluice_batch& batch, std::uint8_t* verdict, sluice_writer*, std::string& error) {
    bool halted = false;
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      if (halted) verdict[i] = SLUICE_TO_REFUSE;
      if (id_at(batch, i) == "e4") halted = true;
    }
    if (!halted) return sluice_status{SLUICE_OK};
    error = "success rate is too low";
    return sluice_status{SLUICE_HALT};
  };
  rig.build();
  std::vector<std::uint64_t> tags;
  for (int i = 0; i < 40; ++i) tags.push_back(in.offer("e" + std::to_string(i)));
  rig.step(30);
  CHECK(out.ids() == std::vector<std::string>{"e0", "e1", "e2", "e3", "e4"});
  CHECK(in.of(tags[4]).outcome == Outcome::delivered);
  CHECK(in.of(tags[5]).outcome == Outcome::retry);
  CHECK(in.of(tags[5]).code == SLUICE_CODE_HALTED);
  CHECK(in.of(tags[5]).reason == "success rate is too low");
  CHECK(rig.pipeline().finished());
  CHECK(rig.pipeline().halt_text() == "success rate is too low");
  // What came after the halt is refused too, not left hanging.
  CHECK(in.of(tags[39]).code == SLUICE_CODE_HALTED);
}

TEST_CASE("a consumer that fails is stopped; nothing passes it unjudged", "[lanes][consumer]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& judge = rig.consumer("judge", {"in"}, 0);
  auto& out = rig.backend("out", {"judge"});
  judge.judge = [](const sluice_batch&, std::uint8_t*, sluice_writer*, std::string& error) {
    error = "division by zero";
    return sluice_status{SLUICE_FAILED};
  };
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  CHECK(out.taken.empty());
  CHECK(in.of(a).outcome == Outcome::retry);
  CHECK(rig.stats("judge").state.load() == NodeState::broken);
}

TEST_CASE("observer: sees what it can keep up with, never delays delivery", "[lanes][observer]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& watch = rig.consumer("watch", {"in"}, SLUICE_OBSERVER);
  auto& out = rig.backend("out", {"in"});
  out.answers_at_once = true;
  rig.node("watch").observer_queue = 8;
  rig.build();
  for (int i = 0; i < 16; ++i) in.offer("e" + std::to_string(i));
  rig.step();
  CHECK(out.taken.size() == 16);
  CHECK(watch.seen.size() == 8);
  CHECK(rig.stats("watch").dropped_full.get() == 8);
  CHECK(in.told.size() == 16);
}

TEST_CASE("stop: no more is pulled, what is under way is delivered, then it ends", "[lanes][stop]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  rig.pipeline().request_stop();
  (void)rig.pipeline().control();
  in.offer("late");
  rig.step();
  CHECK(in.stopped);
  CHECK_FALSE(rig.pipeline().finished());
  out.complete("a");
  rig.step(10);
  CHECK(rig.pipeline().finished());
  CHECK(in.of(a).outcome == Outcome::delivered);
  CHECK(out.ids() == std::vector<std::string>{"a"});
  CHECK(rig.pipeline().undelivered() == 0);
}

TEST_CASE("stop: at the deadline what is left is not delivered, and counted", "[lanes][stop]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.config.drain_deadline = milliseconds(1000);
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  rig.stop();
  CHECK(rig.pipeline().finished());
  CHECK(rig.pipeline().deadline_passed());
  CHECK(in.of(a).outcome == Outcome::retry);
  CHECK(in.of(a).code == SLUICE_CODE_STOPPING);
  CHECK(rig.pipeline().undelivered() == 1);
  CHECK(out.taken.size() == 1);
}

TEST_CASE("stop: a source that cannot be asked again has its undelivered events kept", "[lanes][stop]") {
  Rig rig;
  auto& in = rig.source("in");
  in.forgetful = true;
  auto& out = rig.backend("out", {"in"});
  rig.config.drain_deadline = milliseconds(1000);
  rig.build();
  in.offer("a");
  in.offer("b");
  rig.step();
  out.complete("a");
  rig.step();
  rig.stop();
  CHECK(rig.undelivered.events == std::vector<std::string>{event_json("b")});
}

TEST_CASE("end: when all sources have ended and everything is delivered, the run ends by itself", "[lanes][stop]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  in.offer("a");
  in.end();
  rig.step();
  CHECK_FALSE(rig.pipeline().finished());
  out.complete("a");
  rig.step(10);
  CHECK(rig.pipeline().finished());
}
