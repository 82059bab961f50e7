// The engine's state as lines: a snapshot, and the changes behind it played again.
#include "groups.hh"
#include "lines.hh"

#include <algorithm>

namespace alerting {

std::optional<std::uint32_t> Groups::rule_named(std::string_view name) const {
  for (std::uint32_t i = 0; i < settings_.rules.size(); ++i) {
    if (settings_.rules[i].name == name) return i;
  }
  return std::nullopt;
}

std::string Groups::snapshot() const {
  std::string out;
  LineWriter(out, 'N').add(changes_);
  for (const std::uint64_t event : seen_order_) LineWriter(out, 'I').add(event);
  for (const auto& [key, group] : groups_) {
    LineWriter(out, 'G')
        .add(key)
        .add(settings_.rules[group.rule].name)
        .add(group.opened_ms)
        .add(group.sent_ms)
        .add(group.unlisted)
        .add(group.unlisted_told)
        .add(group.messages)
        .add(group.reference)
        .add(group.labels);
    for (const auto& [print, alert] : group.alerts) {
      LineWriter(out, 'A')
          .add(key)
          .add(print)
          .add(alert.first_ms)
          .add(alert.last_ms)
          .add(alert.resolved_ms)
          .add(alert.news_ms)
          .add(alert.count)
          .add(alert.told)
          .add(alert.changed)
          .add(alert.known)
          .add(alert.title)
          .add(alert.text)
          .add(alert.labels);
    }
  }
  return out;
}

bool Groups::replay_state(std::string_view text) {
  LineReader line(text);
  if (line.kind() == "N") {
    changes_ = line.number<std::uint64_t>();
  } else if (line.kind() == "I") {
    (void)copy(line.number<std::uint64_t>());
  } else if (line.kind() == "G") {
    const std::string key = line.text();
    const auto rule = rule_named(line.text());
    if (!rule) return line.good();  // a rule that is not configured any more: its groups end silently
    Group& group = groups_[key];
    group.rule = *rule;
    group.opened_ms = line.number();
    group.sent_ms = line.number();
    group.unlisted = line.number<std::uint64_t>();
    group.unlisted_told = line.number<std::uint64_t>();
    group.messages = line.number<std::uint64_t>();
    group.reference = line.text();
    group.labels = line.labels();
  } else if (line.kind() == "A") {
    const auto found = groups_.find(line.text());
    if (found == groups_.end()) return true;
    Alert& alert = found->second.alerts[line.text()];
    alert.first_ms = line.number();
    alert.last_ms = line.number();
    alert.resolved_ms = line.number();
    alert.news_ms = line.number();
    alert.count = line.number<std::uint64_t>();
    alert.told = line.number<std::uint64_t>();
    alert.changed = line.number<std::uint64_t>();
    alert.known = line.number<std::uint64_t>();
    alert.title = line.text();
    alert.text = line.text();
    alert.labels = line.labels();
  } else {
    return false;
  }
  return line.good();
}

bool Groups::replay(std::string_view text) {
  LineReader line(text);
  const std::string_view kind = line.kind();
  if (kind == "F" || kind == "C") {
    const std::int64_t now_ms = line.number();
    const auto event = line.number<std::uint64_t>();
    const auto rule = rule_named(line.text());
    const Labels labels = line.labels();
    std::string title = kind == "F" ? line.text() : std::string();
    std::string body = kind == "F" ? line.text() : std::string();
    if (!line.good()) return false;
    (void)copy(event);
    if (rule) add(now_ms, *rule, print_of(labels), labels, std::move(title), std::move(body));
    return true;
  }
  if (kind == "R") {
    const std::int64_t now_ms = line.number();
    const auto event = line.number<std::uint64_t>();
    const auto rule = rule_named(line.text());
    const std::string print = line.text();
    if (!line.good()) return false;
    if (event != 0) (void)copy(event);
    if (rule) close(now_ms, *rule, print);
    return true;
  }
  if (kind == "X") {
    groups_.erase(line.text());
    return line.good();
  }
  if (kind == "Q") {
    const auto found = groups_.find(line.text());
    while (line.more()) {
      const std::string print = line.text();
      if (found != groups_.end()) found->second.alerts.erase(print);
    }
    return line.good();
  }
  if (kind != "S") return replay_state(text);
  const std::int64_t now_ms = line.number();
  const auto found = groups_.find(line.text());
  const auto upto = line.number<std::uint64_t>();
  const std::string reference = line.text();
  std::vector<std::pair<std::string, std::uint64_t>> told;
  while (line.more()) {
    std::string print = line.text();
    told.emplace_back(std::move(print), line.number<std::uint64_t>());
  }
  if (line.good() && found != groups_.end()) mark(now_ms, found->second, told, upto, reference);
  return line.good();
}

}  // namespace alerting
