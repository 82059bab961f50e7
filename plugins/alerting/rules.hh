// The rules of a node: which events they pick, which they take as the end of an alert, and what they make of them.
//
// What a filter says about an event's type alone is remembered per type, so that a hundred rules cost an event one
// lookup; data is parsed once, and only for rules whose filter has held.
#pragma once

#include "alert.hh"
#include "condition.hh"
#include "groups.hh"
#include "json_reader.hh"
#include "template.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/event_view.hh>
#include <sluice/cpp/filter.hh>

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace alerting {

class Rules {
 public:
  /// Throws sluice::BadConfig, with the key in front.
  Rules(sluice::HostView host, sluice::ConfigView config, Escape escape);

  /// Adds what the event makes of the rules.
  void match(sluice::EventView event, std::vector<Occurrence>& out);

  [[nodiscard]] std::vector<RuleTraits> traits() const;
  /// Patterns of the event types that any rule can use, to fire or to end an alert. None: every type.
  [[nodiscard]] std::span<const sluice_str> wanted_types() const noexcept { return wanted_; }

 private:
  struct Picks {
    std::optional<sluice::HostFilter> filter;
    bool by_type = false;  // the filter looks at the type alone
    std::vector<Condition> conditions;
  };
  struct Rule {
    RuleTraits traits;
    Picks fires, ends;
    std::vector<std::pair<std::string, TextTemplate>> labels;
    std::vector<TextTemplate> title_and_text;
  };
  struct Candidate {
    std::uint32_t rule;
    bool ends;
    bool ask;  // the filter must be asked about each event
  };

  [[nodiscard]] Picks picks_from(sluice::HostView host, sluice::ConfigView config, const std::string& at);
  [[nodiscard]] Rule rule_from(sluice::HostView host, sluice::ConfigView config, std::uint32_t number, Escape escape);
  void want_types();
  [[nodiscard]] const std::vector<Candidate>& candidates(sluice::EventView event);
  [[nodiscard]] bool conditions_hold(sluice::EventView event, const std::vector<Condition>& conditions);
  bool look_up(sluice::EventView event, const Rule& rule, const Labels* labels, std::string_view name,
               std::string& out);
  bool open_data(sluice::EventView event);

  JsonReader config_json_, data_;
  std::vector<Rule> rules_;
  std::vector<std::string> wanted_patterns_;
  std::vector<sluice_str> wanted_;  // over them
  std::unordered_map<std::string, std::vector<Candidate>> by_type_;
  std::vector<Candidate> uncached_;
  std::string type_;  // buffer for lookups
  bool data_tried_ = false, data_open_ = false;
};

/// Timing, bounds, silences and inhibitions of a node. Throws sluice::BadConfig.
[[nodiscard]] Settings settings_from(sluice::ConfigView config, const Rules& rules);

}  // namespace alerting
