// The engine by hand-stepped time: when something is told, how often, and what survives a kill.
#include "catch.hh"

#include "groups.hh"

#include <string>

using namespace alerting;

namespace {

constexpr std::int64_t kSecond = 1000, kMinute = 60'000, kHour = 3'600'000, kStart = 1'800'000'000'000;

Settings one_rule(bool resolves = true) {
  Settings settings;
  settings.rules = {{"low", Severity::error, {"run"}, resolves, 0}};
  return settings;
}

/// An engine with its journal: after every step the lines are kept, so that it can be killed.
struct Rig {
  explicit Rig(Settings given) : settings(std::move(given)), groups(settings) {}

  void event(const std::string& run, bool ends = false, const std::string& title = "low rate", std::uint32_t rule = 0) {
    Occurrence what{rule, ++events, {{"run", run}}, title, "", ends};
    take(std::move(what));
  }
  void take(Occurrence what) {
    groups.take(now, std::move(what));
    journal += groups.take_log();
  }
  /// The next message, told.
  std::optional<Message> told(const std::string& reference = {}) {
    auto message = groups.next(now);
    if (message) groups.sent(now, *message, reference);
    journal += groups.take_log();
    return message;
  }
  /// Steps second by second; how many messages went.
  int run_for(std::int64_t ms) {
    int count = 0;
    for (const std::int64_t until = now + ms; now < until; now += kSecond) {
      while (told()) ++count;
    }
    return count;
  }
  void kill() {
    groups = Groups(settings);
    replay(journal);
  }
  void replay(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      REQUIRE(groups.replay(std::string_view(text).substr(at, end - at)));
      at = end + 1;
    }
  }

  Settings settings;
  Groups groups;
  std::string journal;
  std::int64_t now = kStart;
  std::uint64_t events = 0;
};

}  // namespace

TEST_CASE("groups: the first message waits group_wait and holds all that came by then", "[alerting]") {
  Rig rig(one_rule());
  rig.event("a");
  rig.now += 5 * kSecond;
  rig.event("a");
  CHECK_FALSE(rig.told());
  rig.now += 5 * kSecond;
  const auto message = rig.told();
  REQUIRE(message);
  CHECK(message->kind == Message::Kind::firing);
  CHECK(message->why == Message::Why::first);
  CHECK(message->events == 2);
  CHECK(message->lines.size() == 1);
  CHECK(message->oldest_ms == kStart);
  CHECK_FALSE(rig.told());
}

TEST_CASE("groups: what fires on is repeated each repeat_interval and not more often", "[alerting]") {
  Rig rig(one_rule());
  rig.event("a");
  CHECK(rig.run_for(20 * kSecond) == 1);
  for (int i = 0; i < 100; ++i) rig.event("a");
  CHECK(rig.run_for(3 * kHour) == 0);
  rig.now = kStart + 4 * kHour + 11 * kSecond;
  const auto message = rig.told();
  REQUIRE(message);
  CHECK(message->why == Message::Why::repeat);
  CHECK(message->events == 101);
}

TEST_CASE("groups: an alert that ends is told once, and its group is forgotten", "[alerting]") {
  Rig rig(one_rule());
  rig.event("a");
  rig.run_for(20 * kSecond);
  rig.event("a", true);
  rig.now += 5 * kMinute;
  const auto message = rig.told("there");
  REQUIRE(message);
  CHECK(message->kind == Message::Kind::resolved);
  CHECK(message->why == Message::Why::resolved);
  CHECK(rig.run_for(24 * kHour) == 0);
  CHECK(rig.groups.open_groups() == 0);
}

TEST_CASE("groups: an alert that ended before anybody was told is told all the same", "[alerting]") {
  Rig rig(one_rule());
  rig.event("a");
  rig.event("a", true);
  rig.now += 10 * kSecond;
  const auto message = rig.told();
  REQUIRE(message);
  CHECK(message->kind == Message::Kind::resolved);
}

TEST_CASE("groups: an alert ends by itself when nothing fires it for resolve.after", "[alerting]") {
  Settings settings = one_rule();
  settings.rules[0].resolve_after_ms = 30 * kMinute;
  Rig rig(settings);
  rig.event("a");
  rig.run_for(20 * kMinute);
  rig.event("a");
  CHECK(rig.run_for(29 * kMinute) == 0);
  CHECK(rig.run_for(2 * kMinute) == 1);
  CHECK(rig.groups.firing() == 0);
}

TEST_CASE("groups: what flaps is told at most once each group_interval", "[alerting]") {
  Rig rig(one_rule());
  int messages = 0;
  for (int i = 0; i < 120; ++i) {
    rig.event("a", i % 2 == 1);
    messages += rig.run_for(30 * kSecond);
  }
  CHECK(messages >= 2);
  CHECK(messages <= 13);  // an hour of it
}

TEST_CASE("groups: a notice is told once and never repeated", "[alerting]") {
  Rig rig(one_rule(false));
  rig.event("a");
  CHECK(rig.run_for(20 * kSecond) == 1);
  CHECK(rig.run_for(24 * kHour) == 0);
  rig.event("a");
  rig.event("a");
  rig.now += 10 * kSecond;
  const auto message = rig.told();
  REQUIRE(message);
  CHECK(message->kind == Message::Kind::notice);
  CHECK(message->events == 2);  // the first was told before
}

TEST_CASE("groups: the same event again is not told again", "[alerting]") {
  Rig rig(one_rule(false));
  const Occurrence once{0, 77, {{"run", "a"}}, "t", "", false};
  rig.take(once);
  CHECK(rig.run_for(20 * kSecond) == 1);
  rig.kill();
  rig.take(once);
  CHECK(rig.run_for(kHour) == 0);
  CHECK(rig.groups.suppressed().duplicate == 1);
}

TEST_CASE("groups: a storm of ten thousand events is a handful of messages that give the count", "[alerting]") {
  SECTION("of one alert") {
    Rig rig(one_rule());
    for (int i = 0; i < 10'000; ++i) rig.event("a");
    rig.now += 10 * kSecond;
    const auto message = rig.told();
    REQUIRE(message);
    CHECK(message->events == 10'000);
    CHECK(rig.run_for(kHour) == 0);
  }
  SECTION("of as many groups") {
    Rig rig(one_rule(false));
    for (int i = 0; i < 10'000; ++i) rig.event("run" + std::to_string(i));
    std::uint64_t events = 0;
    int messages = 0;
    for (const std::int64_t until = rig.now + kHour; rig.now < until; rig.now += kSecond) {
      while (const auto message = rig.told()) {
        ++messages;
        events += message->events;
      }
    }
    CHECK(messages <= 22);
    CHECK(events == 10'000);
  }
}

TEST_CASE("groups: what a far side did not take is put together anew, after the time it asked for", "[alerting]") {
  Rig rig(one_rule());
  rig.event("a");
  rig.now += 10 * kSecond;
  auto message = rig.groups.next(rig.now);
  REQUIRE(message);
  rig.groups.failed(rig.now, *message, 30 * kSecond);
  rig.event("a");
  rig.now += 29 * kSecond;
  CHECK_FALSE(rig.told());
  rig.now += 2 * kSecond;
  message = rig.told();
  REQUIRE(message);
  CHECK(message->events == 2);
  CHECK(message->why == Message::Why::first);
  CHECK(rig.run_for(kHour) == 0);
}

TEST_CASE("groups: what happens while a message is under way is told by the next", "[alerting]") {
  Rig rig(one_rule());
  rig.event("a");
  rig.now += 10 * kSecond;
  const auto message = rig.groups.next(rig.now);
  REQUIRE(message);
  rig.event("a", true);
  rig.groups.sent(rig.now, *message, {});
  rig.now += 5 * kMinute;
  const auto next = rig.told();
  REQUIRE(next);
  CHECK(next->kind == Message::Kind::resolved);
}

TEST_CASE("groups: messages go no faster than the token bucket", "[alerting]") {
  Settings settings = one_rule();
  settings.messages_per_minute = 6;
  settings.burst = 2;
  settings.group_wait_ms = 0;
  Rig rig(settings);
  for (int i = 0; i < 10; ++i) rig.event("run" + std::to_string(i));
  CHECK(rig.run_for(kSecond) == 2);
  CHECK(rig.run_for(kMinute) <= 7);
  CHECK(rig.run_for(kMinute) >= 1);
}

TEST_CASE("groups: a kill repeats nothing and loses nothing", "[alerting]") {
  Rig rig(one_rule());
  rig.event("told");
  rig.run_for(20 * kSecond);
  rig.event("waits");
  rig.event("told");
  rig.kill();
  CHECK(rig.groups.firing() == 2);
  rig.now += 10 * kSecond;
  const auto message = rig.told();
  REQUIRE(message);
  CHECK(message->labels.at("run") == "waits");
  CHECK(rig.run_for(3 * kHour) == 0);
  rig.event("told", true);
  rig.kill();
  rig.now += kSecond;
  const auto end = rig.told();
  REQUIRE(end);
  CHECK(end->kind == Message::Kind::resolved);
}

TEST_CASE("groups: a snapshot says the same as the lines that led to it", "[alerting]") {
  Rig rig(one_rule());
  rig.event("a\twith\\odd\ncharacters");
  rig.event("b");
  rig.run_for(20 * kSecond);
  rig.event("b", true);
  rig.event("c");
  rig.kill();
  const std::string snapshot = rig.groups.snapshot();
  rig.groups = Groups(rig.settings);
  rig.replay(snapshot);
  CHECK(rig.groups.snapshot() == snapshot);
  CHECK_FALSE(rig.groups.replay("Z\tnobody writes this"));
  CHECK_FALSE(rig.groups.replay("F\tno number"));
}

TEST_CASE("groups: a silence keeps a firing alert quiet until it is over, and drops a notice", "[alerting]") {
  Settings settings = one_rule();
  settings.rules.push_back({"note", Severity::info, {}, false, 0});
  settings.silences = {{"s", {{{"run", "a*"}}}, 0, kStart + kHour, "maintenance"}};
  Rig rig(settings);
  rig.event("a1");
  rig.event("a1", false, "note", 1);
  CHECK(rig.run_for(59 * kMinute) == 0);
  CHECK(rig.groups.suppressed().silence == 2);
  CHECK(rig.run_for(10 * kMinute) == 1);
  CHECK(rig.run_for(kHour) == 0);
}

TEST_CASE("groups: an alert that a worse one explains is not told", "[alerting]") {
  Settings settings = one_rule();
  settings.rules.push_back({"failed", Severity::critical, {"run"}, true, 0});
  settings.inhibitions = {{{{{"rule", "failed"}}}, {{{"rule", "low"}}}, {"run"}}};
  Rig rig(settings);
  rig.event("a", false, "failed", 1);
  rig.event("a");
  rig.event("b");
  CHECK(rig.run_for(kMinute) == 2);
  CHECK(rig.groups.suppressed().inhibition > 0);
  rig.event("a", true, "failed", 1);
  CHECK(rig.run_for(kHour) == 2);  // its end, and what it explained fires on
}

TEST_CASE("groups: at the end of the process nothing waits for more to come", "[alerting]") {
  Rig rig(one_rule(false));
  rig.event("a");
  CHECK(rig.groups.has_news());
  rig.groups.hurry();
  CHECK(rig.told());
  CHECK_FALSE(rig.groups.has_news());
}

TEST_CASE("groups: a night of flapping runs, an hour without a far side and two kills", "[alerting]") {
  Rig rig(one_rule());
  const std::int64_t end = kStart + 8 * kHour, away_from = kStart + 2 * kHour, away_until = kStart + 3 * kHour;
  std::map<std::string, std::string> last;  // what was told last of each run
  int messages = 0;
  std::int64_t second = 0;
  for (; rig.now < end + 30 * kMinute; rig.now += kSecond, ++second) {
    for (int run = 0; run < 4 && rig.now < end; ++run) {
      // Each fails and recovers in a rhythm of its own; all are well at the end.
      if (second % (420 + 60 * run) == 0) rig.event("run" + std::to_string(run));
      if (second % (420 + 60 * run) == 200) rig.event("run" + std::to_string(run), true);
    }
    if (rig.now == end) {
      for (int run = 0; run < 4; ++run) rig.event("run" + std::to_string(run), true);
    }
    if (rig.now == kStart + 90 * kMinute || rig.now == kStart + 310 * kMinute) rig.kill();
    while (const auto message = rig.groups.next(rig.now)) {
      if (rig.now >= away_from && rig.now < away_until) {
        rig.groups.failed(rig.now, *message, 0);
        continue;
      }
      ++messages;
      rig.groups.sent(rig.now, *message, {});
      last[message->labels.at("run")] = to_text(message->kind);
    }
    rig.journal += rig.groups.take_log();
  }
  CHECK(last.size() == 4);
  for (const auto& [run, kind] : last) {
    CAPTURE(run);
    CHECK(kind == "resolved");
  }
  CHECK(rig.groups.firing() == 0);
  CHECK_FALSE(rig.groups.has_news());
  CHECK(messages <= 4 * (8 * 12 + 2));  // one each group_interval and run is the ceiling
  CHECK(rig.groups.open_groups() == 0);
}
