#include "groups.hh"

#include "lines.hh"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace alerting {
namespace {

constexpr std::size_t kSeenMax = 8192;  // events whose copies are recognised
constexpr std::int64_t kRetryMs = 1000, kRetryMsMax = 60'000;
constexpr std::int64_t kSweepMs = 1000;

std::string hex(std::uint64_t number) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return digits;
}

}  // namespace

std::string print_of(const Labels& labels) {
  std::uint64_t hash = hash_of("");
  for (const auto& [name, value] : labels) hash = hash_of(value + '\x1e', hash_of(name + '\x1f', hash));
  return hex(hash);
}

Groups::Groups(Settings settings)
    : settings_(std::move(settings)), bucket_(settings_.messages_per_minute, settings_.burst) {}

/// Too many groups of a rule become one: a storm that differs in a label of group_by stays a handful of messages.
std::string Groups::key_of(std::uint32_t rule, const Labels& labels, Labels& common) const {
  const RuleTraits& traits = settings_.rules[rule];
  std::string key = traits.name;
  for (const std::string& name : traits.group_by) {
    const auto found = labels.find(name);
    if (found == labels.end()) continue;
    common[name] = found->second;
    key += '\x1f' + name + '=' + found->second;
  }
  if (groups_.count(key) != 0) return key;
  const auto same_rule = [&](const auto& one) { return one.second.rule == rule; };
  if (static_cast<std::size_t>(std::count_if(groups_.begin(), groups_.end(), same_rule)) < settings_.groups_max) {
    return key;
  }
  common.clear();
  return traits.name + "\x1f*";
}

bool Groups::copy(std::uint64_t event) {
  if (!seen_.insert(event).second) return true;
  seen_order_.push_back(event);
  if (seen_order_.size() > kSeenMax) {
    seen_.erase(seen_order_.front());
    seen_order_.pop_front();
  }
  return false;
}

void Groups::take(std::int64_t now_ms, Occurrence&& what) {
  if (copy(what.event)) {
    ++suppressed_.duplicate;
    return;
  }
  if (!what.ends) return fire(now_ms, std::move(what));
  const std::string print = print_of(what.labels);
  LineWriter(log_, 'R').add(now_ms).add(what.event).add(settings_.rules[what.rule].name).add(print);
  close(now_ms, what.rule, print);
}

void Groups::fire(std::int64_t now_ms, Occurrence&& what) {
  const std::string print = print_of(what.labels);
  Labels common;
  const auto group = groups_.find(key_of(what.rule, what.labels, common));
  const bool known = group != groups_.end() && group->second.alerts.count(print) != 0;
  const Alert* alert = known ? &group->second.alerts.at(print) : nullptr;
  // An event that says nothing new is a short line: a storm is mostly those.
  if (alert != nullptr && alert->title == what.title && alert->text == what.text) {
    LineWriter(log_, 'C').add(now_ms).add(what.event).add(settings_.rules[what.rule].name).add(what.labels);
  } else {
    LineWriter(log_, 'F')
        .add(now_ms)
        .add(what.event)
        .add(settings_.rules[what.rule].name)
        .add(what.labels)
        .add(what.title)
        .add(what.text);
  }
  add(now_ms, what.rule, print, what.labels, std::move(what.title), std::move(what.text));
}

void Groups::add(std::int64_t now_ms, std::uint32_t rule, const std::string& print, const Labels& labels,
                 std::string title, std::string text) {
  Labels common;
  const std::string key = key_of(rule, labels, common);
  auto [at, made] = groups_.try_emplace(key);
  Group& group = at->second;
  if (made) {
    group.rule = rule;
    group.labels = std::move(common);
    group.opened_ms = now_ms;
  }
  auto found = group.alerts.find(print);
  if (found == group.alerts.end()) {
    if (group.alerts.size() >= settings_.alerts_max) {
      ++group.unlisted;
      return;
    }
    found = group.alerts.emplace(print, Alert{}).first;
    found->second.labels = labels;
  }
  Alert& alert = found->second;
  const bool begins = alert.count == 0 || alert.resolved_ms != 0;
  if (begins) alert.first_ms = now_ms;
  if (begins || !settings_.rules[rule].resolves) {
    if (alert.changed == alert.known) alert.news_ms = now_ms;
    alert.changed = ++changes_;
  }
  if (!title.empty() || !text.empty()) {
    alert.title = std::move(title);
    alert.text = std::move(text);
  }
  alert.resolved_ms = 0;
  alert.last_ms = now_ms;
  ++alert.count;
}

void Groups::close(std::int64_t now_ms, std::uint32_t rule, const std::string& print) {
  for (auto& [key, group] : groups_) {
    if (group.rule != rule) continue;
    const auto found = group.alerts.find(print);
    if (found == group.alerts.end() || found->second.resolved_ms != 0) continue;
    if (found->second.changed == found->second.known) found->second.news_ms = now_ms;
    found->second.resolved_ms = now_ms;
    found->second.changed = ++changes_;
  }
}

bool Groups::fires(const Group& group) const {
  return settings_.rules[group.rule].resolves &&
         std::any_of(group.alerts.begin(), group.alerts.end(),
                     [](const auto& one) { return one.second.resolved_ms == 0; });
}

bool Groups::news(const Group& group) const {
  return group.unlisted > group.unlisted_told ||
         std::any_of(group.alerts.begin(), group.alerts.end(),
                     [](const auto& one) { return one.second.changed > one.second.known; });
}

std::size_t Groups::firing() const {
  std::size_t count = 0;
  for (const auto& [key, group] : groups_) {
    if (!settings_.rules[group.rule].resolves) continue;
    for (const auto& [print, alert] : group.alerts) count += alert.resolved_ms == 0 ? 1 : 0;
  }
  return count;
}

bool Groups::has_news() const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const auto& one) { return news(one.second); });
}

std::int64_t Groups::due(const Group& group) const {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  std::int64_t at = kNever;
  if (news(group)) {
    at = group.sent_ms == 0 ? group.opened_ms + settings_.group_wait_ms : group.sent_ms + settings_.group_interval_ms;
    if (hurry_) at = 0;
  } else if (fires(group) && group.sent_ms != 0) {
    at = group.sent_ms + settings_.repeat_interval_ms;
  }
  if (at == kNever) return at;
  return std::max({at, group.retry_ms, hurry_ ? 0 : group.again_ms});
}

std::optional<std::int64_t> Groups::due_ms(std::int64_t now_ms) const {
  if (groups_.empty()) return std::nullopt;
  std::int64_t soonest = now_ms + kSweepMs;  // a timeout may be due by then
  for (const auto& [key, group] : groups_) soonest = std::min(soonest, due(group));
  return soonest;
}

/// Timeouts, and groups that have nothing left to say.
void Groups::sweep(std::int64_t now_ms) {
  if (now_ms < sweep_ms_) return;
  sweep_ms_ = now_ms + kSweepMs;
  for (auto at = groups_.begin(); at != groups_.end();) {
    Group& group = at->second;
    const RuleTraits& traits = settings_.rules[group.rule];
    for (const auto& [print, alert] : group.alerts) {
      if (traits.resolve_after_ms == 0 || alert.resolved_ms != 0) continue;
      if (now_ms - alert.last_ms < traits.resolve_after_ms) continue;
      LineWriter(log_, 'R').add(now_ms).add(std::uint64_t{0}).add(traits.name).add(print);
      close(now_ms, group.rule, print);
    }
    if (group.alerts.empty() && !news(group) && now_ms >= group.sent_ms + settings_.group_interval_ms) {
      LineWriter(log_, 'X').add(at->first);
      at = groups_.erase(at);
    } else {
      ++at;
    }
  }
}

Groups::Quiet Groups::quiet(const Group& group, const Alert& alert, std::int64_t now_ms) const {
  const RuleTraits& traits = settings_.rules[group.rule];
  const Labels labels = whole_labels(alert.labels, traits.name, traits.severity);
  const auto silences = [&](const Silence& one) {
    return one.from_ms <= now_ms && (one.until_ms == 0 || now_ms < one.until_ms) && one.matcher.matches(labels);
  };
  if (std::any_of(settings_.silences.begin(), settings_.silences.end(), silences) ||
      std::any_of(commanded_.begin(), commanded_.end(), silences)) {
    return Quiet::silenced;
  }
  for (const Inhibition& one : settings_.inhibitions) {
    if (!one.target.matches(labels)) continue;
    for (const auto& [key, other] : groups_) {
      const RuleTraits& source = settings_.rules[other.rule];
      if (!source.resolves) continue;
      for (const auto& [print, cause] : other.alerts) {
        if (cause.resolved_ms != 0 || &cause == &alert) continue;
        const Labels whole = whole_labels(cause.labels, source.name, source.severity);
        const auto same = [&](const std::string& name) {
          const auto a = labels.find(name), b = whole.find(name);
          return a != labels.end() && b != whole.end() && a->second == b->second;
        };
        if (one.source.matches(whole) && std::all_of(one.equal.begin(), one.equal.end(), same)) {
          return Quiet::inhibited;
        }
      }
    }
  }
  return Quiet::no;
}

std::optional<Message> Groups::next(std::int64_t now_ms) {
  sweep(now_ms);
  std::vector<std::pair<std::int64_t, std::string>> ready;
  for (const auto& [key, group] : groups_) {
    if (const std::int64_t at = due(group); at <= now_ms) ready.emplace_back(at, key);
  }
  std::sort(ready.begin(), ready.end());
  for (const auto& [at, key] : ready) {
    if (const std::int64_t wait = bucket_.wait_ms(now_ms); wait > 0) {
      groups_.at(key).retry_ms = now_ms + wait;
      continue;
    }
    if (auto message = compose(key, groups_.at(key), now_ms)) {
      bucket_.take();
      return message;
    }
  }
  return std::nullopt;
}

std::optional<Message> Groups::expired(std::int64_t now_ms) {
  if (settings_.max_age_ms == 0) return std::nullopt;
  for (auto& [key, group] : groups_) {
    const auto too_old = [&](const auto& one) {
      return one.second.changed > one.second.known && now_ms - one.second.news_ms >= settings_.max_age_ms;
    };
    if (std::none_of(group.alerts.begin(), group.alerts.end(), too_old) || due(group) > now_ms) continue;
    if (auto message = compose(key, group, now_ms)) return message;
  }
  return std::nullopt;
}

std::optional<Message> Groups::compose(const std::string& key, Group& group, std::int64_t now_ms) {
  const RuleTraits& traits = settings_.rules[group.rule];
  Message message;
  std::vector<std::string> hushed;
  bool has_news = group.unlisted > group.unlisted_told, fires = false, closes = false;
  message.oldest_ms = now_ms;
  for (auto& [print, alert] : group.alerts) {
    const bool is_news = alert.changed > alert.known;
    if (alert.resolved_ms != 0 && !settings_.send_resolved && alert.told > 0) {
      ++suppressed_.unsent_resolved;
      hushed.push_back(print);
      continue;
    }
    if (const Quiet why = quiet(group, alert, now_ms); why != Quiet::no) {
      if (is_news && alert.hushed != alert.changed) {  // looked at again and again, counted once
        ++(why == Quiet::silenced ? suppressed_.silence : suppressed_.inhibition);
        alert.hushed = alert.changed;
      }
      if (!traits.resolves || alert.resolved_ms != 0) hushed.push_back(print);
      continue;
    }
    has_news |= is_news;
    if (is_news) message.oldest_ms = std::min(message.oldest_ms, alert.news_ms);
    fires |= alert.resolved_ms == 0;
    closes |= alert.resolved_ms != 0;
    const std::uint64_t count = traits.resolves ? alert.count : alert.count - alert.told;
    message.events += count;
    message.told.emplace_back(print, alert.count);
    message.lines.push_back(
        {alert.labels, alert.title, alert.text, alert.first_ms, alert.last_ms, alert.resolved_ms, count});
  }
  const std::int64_t repeat_at = group.sent_ms + settings_.repeat_interval_ms;
  const bool repeats = group.sent_ms != 0 && fires && traits.resolves && now_ms >= repeat_at;
  if (!hushed.empty()) hush(key, group, hushed);
  if (!has_news && !repeats) {
    group.again_ms =
        now_ms + std::max<std::int64_t>(kSweepMs, std::min<std::int64_t>(settings_.group_interval_ms, 60'000));
    return std::nullopt;
  }
  message.alerts = message.lines.size();
  // What is new comes first: firing before resolved, then by the newest event.
  std::stable_sort(message.lines.begin(), message.lines.end(), [](const Line& a, const Line& b) {
    if ((a.resolved_ms == 0) != (b.resolved_ms == 0)) return a.resolved_ms == 0;
    return a.last_ms > b.last_ms;
  });
  if (message.lines.size() > settings_.lines_max) message.lines.resize(settings_.lines_max);
  const std::uint64_t unlisted = group.unlisted - (traits.resolves ? 0 : group.unlisted_told);
  message.events += unlisted;
  message.alerts += unlisted;
  message.kind = !traits.resolves ? Message::Kind::notice : fires ? Message::Kind::firing : Message::Kind::resolved;
  message.why = group.sent_ms == 0 ? Message::Why::first
                : !has_news        ? Message::Why::repeat
                : closes && !fires ? Message::Why::resolved
                                   : Message::Why::news;
  message.group = key;
  message.id = hex(hash_of(key, hash_of(std::to_string(group.opened_ms))));
  message.rule = traits.name;
  message.severity = traits.severity;
  message.labels = group.labels;
  message.number = group.messages + 1;
  message.at_ms = now_ms;
  message.reference = group.reference;
  message.upto = changes_;
  message.told.emplace_back("*", group.unlisted);
  return message;
}

/// Told to nobody, and it will not be: a notice or an end that was silenced.
void Groups::hush(const std::string& key, Group& group, const std::vector<std::string>& prints) {
  LineWriter line(log_, 'Q');
  line.add(key);
  for (const std::string& print : prints) {
    line.add(print);
    group.alerts.erase(print);
  }
}

void Groups::sent(std::int64_t now_ms, const Message& message, const std::string& reference) {
  const auto found = groups_.find(message.group);
  if (found == groups_.end()) return;
  LineWriter line(log_, 'S');
  line.add(now_ms).add(message.group).add(message.upto).add(reference);
  for (const auto& [print, count] : message.told) line.add(print).add(count);
  mark(now_ms, found->second, message.told, message.upto, reference);
}

void Groups::mark(std::int64_t now_ms, Group& group, const std::vector<std::pair<std::string, std::uint64_t>>& told,
                  std::uint64_t upto, const std::string& reference) {
  for (const auto& [print, count] : told) {
    if (print == "*") {
      group.unlisted_told = count;
      continue;
    }
    const auto found = group.alerts.find(print);
    if (found == group.alerts.end()) continue;
    Alert& alert = found->second;
    alert.told = count;
    alert.known = std::min(alert.changed, upto);
    if (alert.changed > upto) continue;  // something happened while the message was under way
    if (!settings_.rules[group.rule].resolves || alert.resolved_ms != 0) group.alerts.erase(found);
  }
  group.sent_ms = now_ms;
  group.retry_ms = 0;
  group.failures = 0;
  ++group.messages;
  if (!reference.empty()) group.reference = reference;
}

void Groups::failed(std::int64_t now_ms, const Message& message, std::int64_t retry_after_ms) {
  const auto found = groups_.find(message.group);
  if (found == groups_.end()) return;
  Group& group = found->second;
  const std::int64_t delay = std::min(kRetryMsMax, kRetryMs << std::min<std::uint32_t>(group.failures, 6));
  ++group.failures;
  group.retry_ms = now_ms + std::max(delay, retry_after_ms);
}

}  // namespace alerting
