#include "rules.hh"

#include "wants.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>
#include <array>
#include <set>

namespace alerting {
namespace {

constexpr std::size_t kTypesMax = 1024;  // types that are remembered
constexpr std::size_t kLabelBytesMax = 256, kTitleBytesMax = 1024, kTextBytesMax = 8192;
constexpr std::array<std::string_view, 5> kAttributes{"id", "source", "type", "subject", "time"};

/// Runs body and puts the key in front of what it complains about.
template <class Body>
auto under(const std::string& key, Body&& body) {
  try {
    return body();
  } catch (const sluice::BadConfig& e) {
    throw sluice::BadConfig(key + ": " + e.what());
  }
}

bool known_in_label(std::string_view name) {
  return std::find(kAttributes.begin(), kAttributes.end(), name) != kAttributes.end() || name == "rule" ||
         name == "severity" || name == "data" || (name.starts_with("data.") && name.size() > 5) ||
         (name.starts_with("ext.") && name.size() > 4);
}

/// data.metrics.success_rate as a JSON pointer.
std::string pointer_of(std::string_view dotted) {
  std::string pointer;
  if (!dotted.empty()) pointer += '/';
  for (const char c : dotted) {
    if (c == '.') {
      pointer += '/';
    } else if (c == '~') {
      pointer += "~0";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

Severity severity_named(std::string_view name) {
  for (const Severity one : {Severity::info, Severity::error, Severity::critical}) {
    if (name == to_text(one)) return one;
  }
  return Severity::warning;
}

}  // namespace

Rules::Rules(sluice::HostView host, sluice::ConfigView config, Escape escape) {
  (void)config_json_.open(config.json(), false);
  for (std::uint32_t i = 0; i < config.count("rules"); ++i) {
    rules_.push_back(rule_from(host, config, i, escape));
    for (std::uint32_t k = 0; k < i; ++k) {
      if (rules_[k].traits.name == rules_[i].traits.name) {
        throw sluice::BadConfig("rules/" + std::to_string(i) + "/name: two rules are named \"" + rules_[i].traits.name +
                                "\"");
      }
    }
  }
  want_types();
}

/// One rule that cannot be put into types is enough to want them all. An end without a filter comes by time alone.
void Rules::want_types() {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const std::string at = "/rules/" + std::to_string(i);
    for (const std::string& when : {at + "/when", at + "/resolve/when"}) {
      const bool ends = when != at + "/when";
      if (ends && !rules_[i].ends.filter) continue;
      const auto types = types_of_filter(config_json_, when);
      if (!types) return wanted_patterns_.clear();
      wanted_patterns_.insert(wanted_patterns_.end(), types->begin(), types->end());
    }
  }
  std::sort(wanted_patterns_.begin(), wanted_patterns_.end());
  wanted_patterns_.erase(std::unique(wanted_patterns_.begin(), wanted_patterns_.end()), wanted_patterns_.end());
  for (const std::string& pattern : wanted_patterns_) wanted_.push_back(sluice::str(pattern));
}

Rules::Picks Rules::picks_from(sluice::HostView host, sluice::ConfigView config, const std::string& at) {
  Picks picks;
  if (const auto when = config_json_.at("/" + at + "/when")) {
    picks.filter = under(at + "/when", [&] { return sluice::HostFilter(host, when->text); });
    picks.by_type = when->text.starts_with(R"({"types":)");
  }
  const std::vector<std::string> conditions = config.texts(at + "/if");
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    picks.conditions.push_back(under(at + "/if/" + std::to_string(i), [&] { return Condition(conditions[i], data_); }));
  }
  return picks;
}

Rules::Rule Rules::rule_from(sluice::HostView host, sluice::ConfigView config, std::uint32_t number, Escape escape) {
  const std::string at = "rules/" + std::to_string(number);
  Rule rule;
  rule.traits.name = config.text(at + "/name");
  rule.traits.severity = severity_named(config.text(at + "/severity"));
  rule.fires = picks_from(host, config, at);
  if (config.has(at + "/resolve")) {
    rule.traits.resolves = true;
    rule.traits.resolve_after_ms = config.integer(at + "/resolve/after");
    rule.ends = picks_from(host, config, at + "/resolve");
    if (!rule.ends.filter && rule.traits.resolve_after_ms == 0) {
      throw sluice::BadConfig(at + "/resolve: says neither `when` nor `after`: nothing would ever end the alert");
    }
  }
  std::set<std::string> names;
  for (const auto& [name, template_text] : config.map(at + "/labels")) {
    const std::string& text = template_text;  // a structured binding cannot be captured by every compiler
    rule.labels.emplace_back(
        name, under(at + "/labels/" + name, [&] { return TextTemplate(text, &escape_nothing, &known_in_label); }));
    names.insert(name);
  }
  rule.traits.group_by = config.texts(config.has(at + "/group_by") ? at + "/group_by" : "group_by");
  for (std::size_t i = 0; i < rule.traits.group_by.size() && config.has(at + "/group_by"); ++i) {
    if (names.count(rule.traits.group_by[i]) != 0) continue;
    throw sluice::BadConfig(at + "/group_by/" + std::to_string(i) + ": the rule has no label \"" +
                            rule.traits.group_by[i] + "\"");
  }
  const auto known = [&](std::string_view name) {
    if (name.starts_with("labels.")) return names.count(std::string(name.substr(7))) != 0;
    return known_in_label(name);
  };
  for (const char* key : {"title", "text"}) {
    const std::string text = config.has(at + "/" + key)         ? config.text(at + "/" + key)
                             : std::string_view(key) == "title" ? "{{type}}"
                                                                : "";
    rule.title_and_text.push_back(under(at + "/" + key, [&] { return TextTemplate(text, escape, known); }));
  }
  return rule;
}

std::vector<RuleTraits> Rules::traits() const {
  std::vector<RuleTraits> all;
  for (const Rule& rule : rules_) all.push_back(rule.traits);
  return all;
}

const std::vector<Rules::Candidate>& Rules::candidates(sluice::EventView event) {
  type_.assign(event.type());
  const auto found = by_type_.find(type_);
  if (found != by_type_.end()) return found->second;
  std::vector<Candidate> made;
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    const auto add = [&](const Picks& picks, bool ends) {
      if (ends && !picks.filter) return;
      const bool ask = picks.filter && !picks.by_type;
      if (ask || !picks.filter || picks.filter->matches(event)) made.push_back({i, ends, ask});
    };
    add(rules_[i].ends, true);
    add(rules_[i].fires, false);
  }
  if (by_type_.size() < kTypesMax) return by_type_.emplace(type_, std::move(made)).first->second;
  return uncached_ = std::move(made);
}

bool Rules::open_data(sluice::EventView event) {
  if (!data_tried_) {
    data_tried_ = true;
    data_open_ = event.has_data() && !event.data_is_bytes() && !event.data().empty() && data_.open(event.data(), true);
  }
  return data_open_;
}

bool Rules::conditions_hold(sluice::EventView event, const std::vector<Condition>& conditions) {
  if (conditions.empty()) return true;
  if (!open_data(event)) return false;
  return std::all_of(conditions.begin(), conditions.end(), [&](const Condition& one) { return one.holds(data_); });
}

bool Rules::look_up(sluice::EventView event, const Rule& rule, const Labels* labels, std::string_view name,
                    std::string& out) {
  if (name == "id") return out = event.id(), true;
  if (name == "source") return out = event.source(), true;
  if (name == "type") return out = event.type(), true;
  if (name == "subject") return out = event.subject(), true;
  if (name == "time") return out = event.time(), true;
  if (name == "rule") return out = rule.traits.name, true;
  if (name == "severity") return out = to_text(rule.traits.severity), true;
  if (name.starts_with("ext.")) return out = event.extension(name.substr(4)).value_or(std::string_view()), true;
  if (name.starts_with("labels.") && labels != nullptr) {
    const auto found = labels->find(std::string(name.substr(7)));
    if (found == labels->end()) return false;
    return out = found->second, true;
  }
  if (!name.starts_with("data")) return false;
  if (!open_data(event)) {
    if (name == "data" && event.has_data()) out = event.data();
    return true;
  }
  if (const auto field = data_.at(name == "data" ? std::string() : pointer_of(name.substr(5)))) {
    if (field->kind != JsonField::Kind::null) out = field->text;
  }
  return true;
}

void Rules::match(sluice::EventView event, std::vector<Occurrence>& out) {
  data_tried_ = data_open_ = false;
  for (const Candidate& candidate : candidates(event)) {
    Rule& rule = rules_[candidate.rule];
    const Picks& picks = candidate.ends ? rule.ends : rule.fires;
    if (candidate.ask && !picks.filter->matches(event)) continue;
    if (!conditions_hold(event, picks.conditions)) continue;
    Occurrence what;
    what.rule = candidate.rule;
    what.event = hash_of(event.id(), hash_of(event.source(), hash_of(rule.traits.name + (candidate.ends ? "-" : "+"))));
    for (const auto& [name, text] : rule.labels) {
      what.labels[name] =
          text.fill([&](std::string_view wanted, std::string& to) { return look_up(event, rule, nullptr, wanted, to); },
                    kLabelBytesMax);
    }
    what.ends = candidate.ends;
    if (what.ends) {
      out.push_back(std::move(what));
      continue;
    }
    const Lookup lookup = [&](std::string_view wanted, std::string& to) {
      return look_up(event, rule, &what.labels, wanted, to);
    };
    what.title = rule.title_and_text[0].fill(lookup, kTitleBytesMax);
    what.text = rule.title_and_text[1].fill(lookup, kTextBytesMax);
    out.push_back(std::move(what));
  }
}

namespace {

Matcher matcher_from(sluice::ConfigView config, const std::string& at) {
  Matcher matcher;
  for (const auto& [name, value] : config.map(at)) matcher.wanted[name] = value;
  return matcher;
}

}  // namespace

Settings settings_from(sluice::ConfigView config, const Rules& rules) {
  Settings settings;
  settings.rules = rules.traits();
  settings.group_wait_ms = config.integer("group_wait");
  settings.group_interval_ms = config.integer("group_interval");
  settings.repeat_interval_ms = config.integer("repeat_interval");
  settings.max_age_ms = config.integer("max_age");
  settings.send_resolved = config.boolean("send_resolved");
  settings.messages_per_minute = static_cast<std::uint64_t>(config.integer("messages_per_minute"));
  settings.burst = static_cast<std::uint64_t>(config.integer("burst"));
  settings.groups_max = static_cast<std::size_t>(config.integer("max_groups"));
  settings.alerts_max = static_cast<std::size_t>(config.integer("max_alerts"));
  settings.lines_max = static_cast<std::size_t>(config.integer("shown_alerts"));
  for (std::uint32_t i = 0; i < config.count("silences"); ++i) {
    const std::string at = "silences/" + std::to_string(i);
    Silence silence;
    silence.id = "config:" + std::to_string(i);
    silence.matcher = matcher_from(config, at + "/match");
    silence.comment = config.text(at + "/comment");
    for (const char* key : {"from", "until"}) {
      if (!config.has(at + "/" + key)) continue;
      const auto moment = moment_ms(config.text(at + "/" + key));
      if (!moment) {
        throw sluice::BadConfig(at + "/" + key + ": \"" + config.text(at + "/" + key) +
                                "\" is no moment; one is written like 2026-03-01T22:00:00Z");
      }
      (std::string_view(key) == "from" ? silence.from_ms : silence.until_ms) = *moment;
    }
    settings.silences.push_back(std::move(silence));
  }
  for (std::uint32_t i = 0; i < config.count("inhibit"); ++i) {
    const std::string at = "inhibit/" + std::to_string(i);
    settings.inhibitions.push_back(
        {matcher_from(config, at + "/source"), matcher_from(config, at + "/target"), config.texts(at + "/equal")});
  }
  return settings;
}

}  // namespace alerting
