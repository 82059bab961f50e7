#include "rehearsal.hh"

#include "template.hh"
#include "words.hh"

#include <algorithm>
#include <limits>

namespace alerting {
namespace {

constexpr std::uint64_t kStepsMax = 2'000'000;  // of one gap between two events; then time jumps

}  // namespace

void Rehearsal::advance(std::int64_t until_ms, bool only_news, const Preview& preview, std::string& out) {
  for (std::uint64_t step = 0; step < kStepsMax; ++step) {
    if (only_news && !groups_.has_news()) return;
    while (const auto message = groups_.next(now_ms_)) {
      ++messages_;
      out += date_text(now_ms_, "%Y-%m-%d %H:%M:%S UTC") + "  " + to_text(message->kind) + " (" +
             to_text(message->why) + "), rule " + message->rule + ": " + thousands(message->events) + " events\n";
      out += preview(*message) + "\n\n";
      groups_.sent(now_ms_, *message, {});
    }
    (void)groups_.take_log();
    const auto due = groups_.due_ms(now_ms_);
    if (!due || *due > until_ms) break;
    now_ms_ = std::max(now_ms_ + 1, *due);
  }
  if (!only_news) now_ms_ = std::max(now_ms_, until_ms);
}

std::string Rehearsal::event(std::optional<std::int64_t> time_s, const std::vector<Occurrence>& fired,
                             const Preview& preview) {
  std::string out;
  const std::int64_t at_ms = time_s ? *time_s * 1000 : now_ms_;
  if (now_ms_ == 0) now_ms_ = at_ms;
  if (at_ms > now_ms_) advance(at_ms, false, preview, out);
  ++events_;
  picked_ += fired.empty() ? 0 : 1;
  for (const Occurrence& what : fired) groups_.take(now_ms_, Occurrence(what));
  return out;
}

std::string Rehearsal::end(const Preview& preview) {
  std::string out;
  advance(std::numeric_limits<std::int64_t>::max(), true, preview, out);
  return out + thousands(events_) + " events, " + thousands(picked_) + " picked by rules, " + thousands(messages_) +
         " messages; " + thousands(groups_.firing()) + " alerts fire on\n";
}

Message test_text(std::int64_t now_ms) {
  Message message;
  message.why = Message::Why::test;
  message.rule = "test";
  message.severity = Severity::info;
  message.id = "test" + std::to_string(now_ms);
  message.at_ms = now_ms;
  message.alerts = message.events = 1;
  message.lines.push_back({{}, "Sluice can reach you", "This is a test; nothing happened.", now_ms, now_ms, 0, 1});
  return message;
}

}  // namespace alerting
