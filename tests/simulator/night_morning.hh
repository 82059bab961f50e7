// What the operator may ask in the morning after a simulated night. It knows what the shipped examples promise, rule by
// rule, and nothing of how the engine keeps it.
//
//   told        every run that failed or dropped has been told of, every notice once, and the last word is the truth
//   once        no end is told twice, no message says only what was said before, but the one under way at a kill
//   ceilings    of a group: one message an interval; of the receiver: the token bucket
#pragma once

#include "night_world.hh"

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace sluice::sim {

/// What must have been told, by rule.
struct Promised {
  std::map<std::string, std::uint64_t> notices;         // events, each told once
  std::map<std::string, std::set<std::string>> alerts;  // runs, each told and ended
};

[[nodiscard]] inline Promised promised_by(const std::string& example, const std::vector<NightEvent>& events) {
  Promised promised;
  for (const NightEvent& event : events) {
    const bool fails = event.type == "extraction.failed";
    if (example == "slack") {
      if (fails) promised.alerts["failed"].insert(event.run);
      if (event.type == "extraction.completed") ++promised.notices["completed"];
      if (event.type == "validation.checkpoint" && event.data.starts_with(R"("passed":true)")) {
        ++promised.notices["checkpoint"];
      }
    } else {
      if (fails) promised.alerts["extraction_failed"].insert(event.run);
      // A run that fails as well may be told of by that alone: the example inhibits the other.
      if (event.type == "validation.warning" && !event.run.starts_with("fails")) {
        promised.alerts["low_success_rate"].insert(event.run);
      }
    }
  }
  return promised;
}

class Morning {
 public:
  Morning(const std::vector<NightReceiver::Taken>& taken, const alerting::Settings& settings, int kills, int ends)
      : taken_(taken), settings_(settings), kills_(kills), ends_(ends) {}

  void check(const Promised& promised, std::int64_t length_ms) const {
    const std::vector<const NightReceiver::Taken*> said = without_repeats_of_kills();
    check_notices(promised, said);
    check_alerts(promised, said);
    check_ceilings(length_ms);
  }

 private:
  [[nodiscard]] bool is_notice(const NightReceiver::Taken& one) const {
    return one.message.kind == alerting::Message::Kind::notice;
  }

  /// A message that was under way at a kill comes again under its number, and may say more: the later one counts.
  [[nodiscard]] std::vector<const NightReceiver::Taken*> without_repeats_of_kills() const {
    std::map<std::pair<std::string, std::uint64_t>, std::size_t> place;
    std::vector<const NightReceiver::Taken*> said;
    int repeats = 0;
    for (const NightReceiver::Taken& one : taken_) {
      const auto [at, fresh] = place.try_emplace({one.message.id, one.message.number}, said.size());
      if (fresh) {
        said.push_back(&one);
      } else {
        ++repeats;
        said[at->second] = &one;
      }
    }
    require(repeats <= kills_,
            std::to_string(repeats) + " messages came twice over " + std::to_string(kills_) + " kills");
    return said;
  }

  void check_notices(const Promised& promised, const std::vector<const NightReceiver::Taken*>& said) const {
    std::map<std::string, std::uint64_t> told;
    for (const auto* one : said) {
      if (is_notice(*one)) told[one->message.rule] += one->message.events;
    }
    for (const auto& [rule, count] : promised.notices) {
      require(told[rule] == count,
              std::to_string(told[rule]) + " events were told by rule " + rule + ", of " + std::to_string(count));
    }
  }

  void check_alerts(const Promised& promised, const std::vector<const NightReceiver::Taken*>& said) const {
    using Episode = std::tuple<std::string, std::string, std::int64_t, std::int64_t>;  // rule, run, begin, end or 0
    std::set<Episode> known;
    std::map<std::string, std::int64_t> last_of_group;
    std::map<std::pair<std::string, std::string>, bool> ended;
    for (const auto* one : said) {
      if (is_notice(*one)) continue;
      const alerting::Message& message = one->message;
      bool says_something = false;
      for (const alerting::Line& line : message.lines) {
        const std::string& run = line.labels.at("run");
        const bool fresh = known.emplace(message.rule, run, line.first_ms, line.resolved_ms).second;
        require(fresh || line.resolved_ms == 0, "the end of " + run + " was told twice by rule " + message.rule);
        says_something |= fresh;
        ended[{message.rule, run}] = line.resolved_ms != 0;
      }
      const auto before = last_of_group.find(message.group);
      const bool is_due =
          before == last_of_group.end() || one->at_ms - before->second >= settings_.repeat_interval_ms - kMinuteMs;
      require(says_something || is_due, "rule " + message.rule + " said again what it had said, with no cause");
      last_of_group[message.group] = one->at_ms;
    }
    for (const auto& [rule, runs] : promised.alerts) {
      for (const std::string& run : runs) {
        const auto last = ended.find({rule, run});
        require(last != ended.end(), run + ": nobody was told by rule " + rule);
        require(last->second, run + " is well, and the last word of rule " + rule + " says otherwise");
      }
    }
  }

  void check_ceilings(std::int64_t length_ms) const {
    const auto most = static_cast<int>((length_ms + kHourMs) / settings_.group_interval_ms) + 2 + ends_;
    std::map<std::string, int> of_group;
    for (const NightReceiver::Taken& one : taken_) {
      require(++of_group[one.message.group] <= most,
              "more than " + std::to_string(most) + " messages of one group of rule " + one.message.rule);
    }
    const double per_ms = static_cast<double>(settings_.messages_per_minute) / 60'000;
    for (std::size_t from = 0; from < taken_.size(); ++from) {
      for (std::size_t to = from + 1; to < taken_.size() && taken_[to].life == taken_[from].life; ++to) {
        const std::int64_t span_ms = taken_[to].at_ms - taken_[from].at_ms;
        if (span_ms > 10 * kMinuteMs) break;
        require(static_cast<double>(to - from) <=
                    static_cast<double>(settings_.burst) + static_cast<double>(span_ms) * per_ms,
                std::to_string(to - from + 1) + " messages within " + std::to_string(span_ms) + " ms");
      }
    }
  }

  const std::vector<NightReceiver::Taken>& taken_;
  const alerting::Settings& settings_;
  const int kills_, ends_;
};

}  // namespace sluice::sim
