// The engine: what fires, who was told of it, and what is to be said next. Pure: no I/O, no clock, no thread. Every
// change that must survive is a line (take_log); a snapshot and the lines after it make the same engine again.
//
//   fire ─▶ alert ─▶ group ── group_wait ──▶ message 1 ── group_interval, if there is news ──▶ message 2 …
//                                                       └─ repeat_interval, while it fires ──▶ again
//   resolve (an event, or no event for resolve.after) ─▶ the next message says so, once
//
// A rule without `resolve` makes notices: each of its events is told once, in messages a group_interval apart.
// A message is put together when it is sent, not before: what happens while a far side is away ends up in one message.
#pragma once

#include "alert.hh"
#include "quiet.hh"
#include "token_bucket.hh"

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace alerting {

struct RuleTraits {
  std::string name;
  Severity severity = Severity::warning;
  std::vector<std::string> group_by;  // label names
  bool resolves = false;
  std::int64_t resolve_after_ms = 0;  // 0: by an event only
};

struct Settings {
  std::vector<RuleTraits> rules;
  std::int64_t group_wait_ms = 10'000, group_interval_ms = 300'000, repeat_interval_ms = 14'400'000;
  std::int64_t max_age_ms = 0;  // of news that cannot be sent; 0: no bound
  bool send_resolved = true;
  std::uint64_t messages_per_minute = 30, burst = 10;
  std::size_t groups_max = 20;    // of one rule; what comes beyond goes into one group more
  std::size_t alerts_max = 1000;  // in one group; the rest is only counted
  std::size_t lines_max = 10;     // alerts that a message shows
  std::vector<Silence> silences;
  std::vector<Inhibition> inhibitions;
};

/// An alert's name inside its group: a hash of its labels.
[[nodiscard]] std::string print_of(const Labels& labels);

/// Why something was not told, or not told yet.
struct Suppressed {
  std::uint64_t duplicate = 0, silence = 0, inhibition = 0, unsent_resolved = 0;
};

class Groups {
 public:
  explicit Groups(Settings settings);

  /// An event that fires an alert, or that ends the rule's alerts with its labels.
  void take(std::int64_t now_ms, Occurrence&& what);

  /// The next message that may go now. One may be under way at a time: end it with sent(), refused() or failed().
  [[nodiscard]] std::optional<Message> next(std::int64_t now_ms);
  /// What has waited for longer than max_age, for the caller to give up; one at a time, to be ended with refused().
  [[nodiscard]] std::optional<Message> expired(std::int64_t now_ms);
  void sent(std::int64_t now_ms, const Message& message, const std::string& reference);
  /// Given up for good: counts as told.
  void refused(std::int64_t now_ms, const Message& message) { sent(now_ms, message, {}); }
  void failed(std::int64_t now_ms, const Message& message, std::int64_t retry_after_ms);
  /// When next() may have something; nothing: not before something fires.
  [[nodiscard]] std::optional<std::int64_t> due_ms(std::int64_t now_ms) const;
  /// From now on nothing waits for more to come: the process is about to end.
  void hurry() noexcept { hurry_ = true; }
  [[nodiscard]] bool has_news() const;

  void set_silences(std::vector<Silence> from_command) { commanded_ = std::move(from_command); }

  /// Lines since the last call; they must be on disk before anybody relies on them.
  [[nodiscard]] std::string take_log() { return std::exchange(log_, {}); }
  [[nodiscard]] std::string snapshot() const;
  /// False for a line that this program does not write.
  bool replay(std::string_view line);

  [[nodiscard]] const Suppressed& suppressed() const noexcept { return suppressed_; }
  [[nodiscard]] std::size_t open_groups() const noexcept { return groups_.size(); }
  [[nodiscard]] std::size_t firing() const;

 private:
  struct Alert {
    Labels labels;
    std::string title, text;
    std::int64_t first_ms = 0, last_ms = 0, resolved_ms = 0, news_ms = 0;
    std::uint64_t count = 0, told = 0;     // events behind it; of those, told
    std::uint64_t hushed = 0;              // the last change that was counted as suppressed
    std::uint64_t changed = 0, known = 0;  // number of its last change, and of the last one that was told
  };
  struct Group {
    std::uint32_t rule = 0;
    Labels labels;
    std::map<std::string, Alert> alerts;  // by fingerprint
    std::int64_t opened_ms = 0, sent_ms = 0, retry_ms = 0, again_ms = 0;
    std::uint64_t unlisted = 0, unlisted_told = 0;  // events of alerts beyond alerts_max
    std::uint64_t messages = 0;
    std::uint32_t failures = 0;
    std::string reference;
  };
  enum class Quiet : std::uint8_t { no, silenced, inhibited };

  [[nodiscard]] std::string key_of(std::uint32_t rule, const Labels& labels, Labels& common) const;
  [[nodiscard]] bool news(const Group& group) const;
  [[nodiscard]] bool fires(const Group& group) const;
  [[nodiscard]] std::int64_t due(const Group& group) const;
  [[nodiscard]] Quiet quiet(const Group& group, const Alert& alert, std::int64_t now_ms) const;
  [[nodiscard]] std::optional<Message> compose(const std::string& key, Group& group, std::int64_t now_ms);
  void hush(const std::string& key, Group& group, const std::vector<std::string>& prints);
  void fire(std::int64_t now_ms, Occurrence&& what);
  void add(std::int64_t now_ms, std::uint32_t rule, const std::string& print, const Labels& labels, std::string title,
           std::string text);
  void close(std::int64_t now_ms, std::uint32_t rule, const std::string& print);
  void mark(std::int64_t now_ms, Group& group, const std::vector<std::pair<std::string, std::uint64_t>>& told,
            std::uint64_t upto, const std::string& reference);
  void sweep(std::int64_t now_ms);
  [[nodiscard]] bool copy(std::uint64_t event);
  [[nodiscard]] std::optional<std::uint32_t> rule_named(std::string_view name) const;
  [[nodiscard]] bool replay_state(std::string_view line);

  Settings settings_;
  std::map<std::string, Group> groups_;
  std::vector<Silence> commanded_;
  TokenBucket bucket_;
  std::set<std::uint64_t> seen_;
  std::deque<std::uint64_t> seen_order_;
  std::uint64_t changes_ = 0;
  bool hurry_ = false;
  std::int64_t sweep_ms_ = 0;
  std::string log_;
  Suppressed suppressed_;
};

}  // namespace alerting
