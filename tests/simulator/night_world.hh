// What is outside the process in a simulated night: the runs that fail and recover, and a Slack that is away for an
// hour. It survives every kill, and knows what must hold in the morning.
#pragma once

#include "groups.hh"
#include "world.hh"

#include "core/backoff.hh"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sluice::sim {

inline constexpr std::int64_t kSecondMs = 1000, kMinuteMs = 60'000, kHourMs = 3'600'000;

/// One event of the night. The source holds it until it is settled.
struct NightEvent {
  std::int64_t due_ms = 0;  // since the night began
  std::string id, type, run;
  bool offered = false, settled = false;
};

/// Runs that flap in a rhythm of their own, among events that no rule wants. All are well in the end.
[[nodiscard]] inline std::vector<NightEvent> events_of_the_night(Random& random, std::int64_t length_ms) {
  std::vector<NightEvent> events;
  const auto runs = 2 + random.below(5);
  for (std::uint64_t run = 0; run < runs; ++run) {
    const std::string name = "run" + std::to_string(run);
    const auto period = static_cast<std::int64_t>(60 + random.below(1200)) * kSecondMs;
    for (auto at = static_cast<std::int64_t>(random.below(600)) * kSecondMs; at < length_ms; at += period) {
      const auto burst = 1 + random.below(random.below(20) == 0 ? 200 : 3);
      for (std::uint64_t i = 0; i < burst; ++i)
        events.push_back({at + static_cast<std::int64_t>(i), "", "run.failed", name});
      const std::int64_t well = at + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(period)));
      if (random.below(4) != 0) events.push_back({well, "", "run.completed", name});
    }
    events.push_back({length_ms, "", "run.completed", name});
  }
  for (std::uint64_t i = 0; i < 2000; ++i) {
    events.push_back(
        {static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(length_ms))), "", "run.progress", "run0"});
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.due_ms < b.due_ms; });
  for (std::size_t i = 0; i < events.size(); ++i) events[i].id = "n" + std::to_string(i);
  return events;
}

/// Takes messages, but for its hour of absence; remembers all that it took.
class NightSlack {
 public:
  NightSlack(std::int64_t away_from_ms, std::int64_t away_until_ms)
      : from_ms_(away_from_ms), until_ms_(away_until_ms) {}

  struct Taken {
    std::int64_t at_ms;
    std::string run;
    alerting::Message::Kind kind;
    std::uint64_t number;
  };
  [[nodiscard]] bool answers(std::int64_t at_ms) const { return at_ms < from_ms_ || at_ms >= until_ms_; }
  void take(std::int64_t at_ms, const alerting::Message& message) {
    require(answers(at_ms), "a message came while Slack was away");
    taken_.push_back({at_ms, message.labels.at("run"), message.kind, message.number});
  }
  [[nodiscard]] const std::vector<Taken>& taken() const noexcept { return taken_; }

 private:
  const std::int64_t from_ms_, until_ms_;
  std::vector<Taken> taken_;
};

/// What the operator may ask in the morning. `ends`: kills and restarts, each of which may repeat or hurry a message of
/// a run.
inline void check_the_morning(const std::vector<NightEvent>& events, const NightSlack& slack,
                              const alerting::Settings& settings, std::int64_t length_ms, int kills, int ends) {
  std::map<std::string, int> told, twice_resolved;
  std::map<std::string, NightSlack::Taken> last;
  std::set<std::string> failed;
  for (const NightEvent& event : events) {
    require(event.settled, event.id + " was never settled");
    if (event.type == "run.failed") failed.insert(event.run);
  }
  for (const NightSlack::Taken& one : slack.taken()) {
    const auto before = last.find(one.run);
    const bool resolved = one.kind == alerting::Message::Kind::resolved;
    if (resolved && before != last.end() && before->second.kind == alerting::Message::Kind::resolved) {
      // Between two ends of a run it must have failed again, or the first of them was under way at a kill.
      const bool again = std::any_of(events.begin(), events.end(), [&](const NightEvent& event) {
        return event.run == one.run && event.type == "run.failed" && event.due_ms <= one.at_ms &&
               event.due_ms + kHourMs + 2 * kMinuteMs >= before->second.at_ms;
      });
      if (!again || before->second.number == one.number) ++twice_resolved[one.run];
    }
    last.insert_or_assign(one.run, one);
    ++told[one.run];
  }
  int repeats = 0;
  for (const auto& [run, count] : twice_resolved) repeats += count;
  require(repeats <= kills, std::to_string(repeats) + " ends were told twice over " + std::to_string(kills) + " kills");
  const auto intervals = static_cast<int>((length_ms + kHourMs) / settings.group_interval_ms) + 2;
  for (const std::string& run : failed) {
    require(told[run] > 0, run + " failed, and nobody was told");
    require(last.at(run).kind == alerting::Message::Kind::resolved, run + " is well, and the last word says otherwise");
    require(told[run] <= intervals + ends, run + ": " + std::to_string(told[run]) +
                                               " messages, more than its ceiling of " +
                                               std::to_string(intervals + ends));
  }
}

}  // namespace sluice::sim
