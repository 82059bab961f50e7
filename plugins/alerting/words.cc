#include "words.hh"

#include "template.hh"

namespace alerting {
namespace {

std::string clock_of(std::int64_t unix_ms) { return date_text(unix_ms, "%Y-%m-%d %H:%M:%S UTC"); }

}  // namespace

std::string thousands(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string state_mark(const Message& message) {
  if (message.why == Message::Why::test) return "[TEST] ";
  if (message.kind == Message::Kind::resolved) return "[RESOLVED] ";
  return message.why == Message::Why::repeat ? "[REPEAT] " : "";
}

std::string headline(const Message& message) {
  if (message.lines.empty()) return message.rule + ": " + thousands(message.events) + " events";
  const std::string& title = message.lines.front().title;
  if (message.alerts == 1) {
    const std::uint64_t count = message.lines.front().count;
    return count > 1 ? title + " (" + thousands(count) + " times)" : title;
  }
  return title + " and " + thousands(message.alerts - 1) + " more (" + thousands(message.events) + " events)";
}

std::string history(const Line& line) {
  std::string text;
  if (line.count > 1) {
    text = "seen " + thousands(line.count) + " times, first " + clock_of(line.first_ms) + ", last " +
           clock_of(line.last_ms);
  }
  if (line.resolved_ms != 0) {
    text += (text.empty() ? "" : "; ") + std::string("resolved ") + clock_of(line.resolved_ms) + ", began " +
            clock_of(line.first_ms);
  }
  return text;
}

std::string remainder(const Message& message) {
  if (message.alerts <= message.lines.size()) return {};
  return "and " + thousands(message.alerts - message.lines.size()) + " more that are not shown";
}

std::string footer(const Message& message) {
  return message.rule + " · " + to_text(message.severity) + " · " + thousands(message.events) +
         (message.events == 1 ? " event" : " events") + " · " + clock_of(message.at_ms);
}

}  // namespace alerting
