// What is outside the process in a simulated night: the runs that fail, drop and recover, and a receiver that is away
// for an hour. Both survive every kill.
#pragma once

#include "groups.hh"
#include "world.hh"

#include "core/backoff.hh"

#include <algorithm>
#include <string>
#include <vector>

namespace sluice::sim {

inline constexpr std::int64_t kSecondMs = 1000, kMinuteMs = 60'000, kHourMs = 3'600'000;

/// One event of the night. The source holds it until it is settled.
struct NightEvent {
  std::int64_t due_ms = 0;  // since the night began
  std::string id, type, run, data;
  bool offered = false, settled = false;
  [[nodiscard]] std::string json() const {
    return R"({"specversion":"1.0","id":")" + id + R"(","source":"/night","type":")" + type + R"(","subject":")" + run +
           R"(","data":{"run_id":")" + run + "\"," + data + "}}";
  }
};

/// What the examples' rules ask for, in the events of validation and extraction.
class NightEvents {
 public:
  NightEvents(Random& random, std::int64_t length_ms) : random_(random), length_ms_(length_ms) {
    const auto runs = 2 + random_.below(5);
    for (std::uint64_t run = 0; run < runs; ++run) flap(run);
    storm();
    for (int i = 0; i < 2000; ++i) add(any(length_ms_), "extraction.progress", "fails0", R"("processed":5)");
    for (int i = 0; i < 200; ++i) add(any(length_ms_), "validation.warning", "fails0", R"("success_rate":0.65)");
    for (int i = 0; i < 100; ++i) {
      const bool passed = random_.below(2) == 0;
      add(any(length_ms_), "validation.checkpoint", "fails0",
          passed ? R"("passed":true,"success_rate":0.9)" : R"("passed":false,"success_rate":0.1)");
    }
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.due_ms < b.due_ms; });
    for (std::size_t i = 0; i < events.size(); ++i) events[i].id = "n" + std::to_string(i);
  }
  std::vector<NightEvent> events;

 private:
  [[nodiscard]] std::int64_t any(std::int64_t below) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(below)));
  }
  void add(std::int64_t at_ms, const char* type, const std::string& run, const char* data) {
    events.push_back({at_ms, "", type, run, data});
  }
  void bad(std::int64_t at_ms, const std::string& run) {
    if (run.starts_with("fails")) {
      add(at_ms, "extraction.failed", run, R"("processed":5,"success_rate":0.2,"reason":"early_validation_failed")");
    } else {
      add(at_ms, "validation.warning", run, R"("success_rate":0.43)");
    }
  }
  void well(std::int64_t at_ms, const std::string& run) {
    add(at_ms, "extraction.completed", run, R"("successful":23,"total":25)");
  }

  /// A run that fails, or drops, in a rhythm of its own. It is well in the end.
  void flap(std::uint64_t number) {
    const std::string run = (number % 2 == 0 ? "fails" : "drops") + std::to_string(number);
    const std::int64_t period = (60 + any(1200)) * kSecondMs;
    for (std::int64_t at = any(600) * kSecondMs; at < length_ms_; at += period) {
      const auto burst = 1 + random_.below(random_.below(20) == 0 ? 200 : 3);
      for (std::uint64_t i = 0; i < burst; ++i) bad(at + static_cast<std::int64_t>(i), run);
      const std::int64_t end = at + any(period);
      if (random_.below(4) != 0) well(end, run);
    }
    well(length_ms_, run);
  }

  /// So many runs drop in one second that each of them would be a message.
  void storm() {
    const std::int64_t at = any(length_ms_ - kHourMs);
    for (int i = 0; i < 24; ++i) {
      const std::string run = "storm" + std::to_string(i);
      bad(at + any(kSecondMs), run);
      well(at + 10 * kMinuteMs + any(10 * kMinuteMs), run);
    }
  }

  Random& random_;
  const std::int64_t length_ms_;
};

/// Takes messages, but for its hour of absence; remembers all that it took.
class NightReceiver {
 public:
  NightReceiver(std::int64_t away_from_ms, std::int64_t away_until_ms)
      : from_ms_(away_from_ms), until_ms_(away_until_ms) {}

  struct Taken {
    std::int64_t at_ms;
    std::uint64_t life;
    alerting::Message message;
  };
  [[nodiscard]] bool answers(std::int64_t at_ms) const { return at_ms < from_ms_ || at_ms >= until_ms_; }
  void take(std::int64_t at_ms, std::uint64_t life, const alerting::Message& message) {
    require(answers(at_ms), "a message came while the receiver was away");
    taken_.push_back({at_ms, life, message});
  }
  [[nodiscard]] const std::vector<Taken>& taken() const noexcept { return taken_; }

 private:
  const std::int64_t from_ms_, until_ms_;
  std::vector<Taken> taken_;
};

}  // namespace sluice::sim
