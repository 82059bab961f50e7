// "Multi-backend publish complete", the line of the `events:` dialect: when it is said, and that it is true.
#include "catch.hh"
#include "rig.hh"

using namespace sluice;
using namespace sluice::test;

namespace {

/// in ──any──▶ stream, hook; its lines are read as "1/2 succeeded".
struct Dialect : Rig {
  FakeSource& in = source("in", {Acknowledge::Mode::any, {}});
  FakeBackend& stream = backend("stream", {"in"}, bounded());
  FakeBackend& hook = backend("hook", {"in"}, bounded());

  Dialect() {
    config.events_dialect = true;
    config.log.events = true;
    stream.answers_at_once = hook.answers_at_once = true;
  }
  static Delivery bounded() {
    Delivery delivery = fast();
    delivery.retry.max_age = std::chrono::seconds(18);
    return delivery;
  }
  [[nodiscard]] std::string lines() const {
    const std::string_view opening = "Multi-backend publish complete: ";
    std::string out;
    for (const std::string& line : log.lines) {
      if (!line.starts_with(opening)) continue;
      if (!out.empty()) out += "; ";
      out += line.substr(opening.size(), line.rfind(" node=") - opening.size());
    }
    return out;
  }
};

}  // namespace

TEST_CASE("publish line: it is said once when every backend has the event", "[lanes][publish_line]") {
  Dialect rig;
  rig.build();
  (void)rig.in.offer("a");
  rig.step();
  CHECK(rig.lines() == "2/2 succeeded");
}

TEST_CASE("publish line: at once when the other backend is away, and again when it has come back",
          "[lanes][publish_line]") {
  Dialect rig;
  rig.hook.away = true;
  rig.build();
  (void)rig.in.offer("a");
  rig.step();
  CHECK(rig.lines() == "1/2 succeeded, 1 waiting");
  (void)rig.in.offer("b");  // is not even offered to it now
  rig.step();
  CHECK(rig.lines() == "1/2 succeeded, 1 waiting; 1/2 succeeded, 1 waiting");
  rig.hook.away = false;
  for (int i = 0; i < 20; ++i) rig.advance(std::chrono::milliseconds(500));
  CHECK(rig.lines() == "1/2 succeeded, 1 waiting; 1/2 succeeded, 1 waiting; 2/2 succeeded; 2/2 succeeded");
  CHECK(rig.hook.ids() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("publish line: an event that waited too long ends without the word", "[lanes][publish_line]") {
  Dialect rig;
  rig.hook.away = true;
  rig.build();
  (void)rig.in.offer("a");
  rig.step();
  for (int i = 0; i < 40; ++i) rig.advance(std::chrono::milliseconds(500));
  CHECK(rig.lines() == "1/2 succeeded, 1 waiting; 1/2 succeeded");
}

TEST_CASE("publish line: an event that was under way when its backend went away is told of as well",
          "[lanes][publish_line]") {
  Dialect rig;
  rig.hook.answers_at_once = false;
  rig.build();
  (void)rig.in.offer("a");
  rig.step();
  CHECK(rig.lines().empty());  // nobody knows yet
  rig.hook.away = true;
  rig.hook.complete("a", SLUICE_AWAY, "connection reset");
  rig.step();
  CHECK(rig.lines() == "1/2 succeeded, 1 waiting");
}

TEST_CASE("publish line: an attempt that failed is no outage: the line waits for the last attempt",
          "[lanes][publish_line]") {
  Dialect rig;
  rig.hook.answers_at_once = false;
  rig.node("hook").delivery.retry.max_attempts = 2;
  rig.build();
  (void)rig.in.offer("a");
  rig.step();
  rig.hook.complete("a", SLUICE_AGAIN, "500");
  rig.step();
  CHECK(rig.lines().empty());
  rig.advance(std::chrono::milliseconds(200));
  rig.hook.complete("a", SLUICE_AGAIN, "500");
  rig.step();
  CHECK(rig.lines() == "1/2 succeeded");
}

TEST_CASE("publish line: while nobody has the event nothing is complete", "[lanes][publish_line]") {
  Dialect rig;
  rig.stream.away = rig.hook.away = true;
  rig.build();
  const auto a = rig.in.offer("a");
  rig.step();
  CHECK(rig.lines().empty());
  rig.stream.away = false;
  for (int i = 0; i < 20 && !rig.in.heard(a); ++i) rig.advance(std::chrono::milliseconds(500));
  CHECK(rig.lines() == "1/2 succeeded, 1 waiting");
}
