// What the parts of alerting say to each other: an event that a rule picked, and a message about a group of them.
// Times are milliseconds since the Unix epoch: they must mean the same after a restart.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace alerting {

using Labels = std::map<std::string, std::string>;

enum class Severity : std::uint8_t { info, warning, error, critical };

[[nodiscard]] inline const char* to_text(Severity severity) noexcept {
  constexpr const char* kNames[] = {"info", "warning", "error", "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}

/// FNV-1a: names an alert or a group in the state and in Message-IDs. Not for telling enemies apart.
[[nodiscard]] inline std::uint64_t hash_of(std::string_view text,
                                           std::uint64_t hash = 14695981039346656037ull) noexcept {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

/// One event that a rule picked, its templates filled in.
struct Occurrence {
  std::uint32_t rule = 0;
  std::uint64_t event = 0;  // hash of source and id: a copy of it is not told again
  Labels labels;
  std::string title, text;
  bool ends = false;  // it ends the alert that has these labels
};

/// One alert as a message shows it.
struct Line {
  Labels labels;
  std::string title, text;
  std::int64_t first_ms = 0, last_ms = 0, resolved_ms = 0;
  std::uint64_t count = 0;
};

/// What is sent: one group, everything about it that is new, or that it still fires.
struct Message {
  enum class Kind : std::uint8_t { notice, firing, resolved } kind = Kind::notice;
  enum class Why : std::uint8_t { first, news, resolved, repeat, test } why = Why::first;
  std::string group;  // its key in the state
  std::string id;     // 16 digits; the same for every message of this life of the group
  std::string rule;
  Severity severity = Severity::warning;
  Labels labels;  // those that the group has in common
  std::vector<Line> lines;
  std::uint64_t alerts = 0;  // all of them; lines may show fewer
  std::uint64_t events = 0;  // that are behind it
  std::uint64_t number = 1;  // of the messages of this group
  std::int64_t at_ms = 0;
  std::int64_t oldest_ms = 0;  // the first event that nobody was told of
  std::string reference;       // what the receiver gave for the message before (Slack: channel and ts)
  std::uint64_t upto = 0;      // the engine's own: what this message knows of
  std::vector<std::pair<std::string, std::uint64_t>> told;  // the same: alerts in it, and their counts
};

[[nodiscard]] inline const char* to_text(Message::Kind kind) noexcept {
  constexpr const char* kNames[] = {"notice", "firing", "resolved"};
  return kNames[static_cast<std::size_t>(kind)];
}
[[nodiscard]] inline const char* to_text(Message::Why why) noexcept {
  constexpr const char* kNames[] = {"first", "news", "resolved", "repeat", "test"};
  return kNames[static_cast<std::size_t>(why)];
}

/// What became of one try to send. away: the receiver takes nothing from this host, as with a refused login; it says
/// nothing about the message.
struct Answer {
  enum class Result : std::uint8_t { sent, again, away, refused } result = Result::sent;
  std::string reason;  // one word for /metrics: timeout, rate_limited, server_error, client_error, auth, network
  std::string text;    // for people; never a secret
  std::int64_t retry_after_ms = 0;  // what the far side asked for
  std::string reference;            // of the message that was sent
};

}  // namespace alerting
