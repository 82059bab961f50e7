#include "mail_text.hh"

#include "template.hh"
#include "words.hh"

#include <sluice/cpp/encode.hh>
#include <sluice/cpp/guard.hh>

#include <algorithm>

namespace alerting {
namespace {

constexpr std::size_t kSubjectBytes = 300;
constexpr std::size_t kWordBytes = 42;  // of an encoded word: 75 characters with what stands around it

/// A header is one line whatever an event says.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

std::string address_header(const char* name, const Mailbox& box) {
  const std::string header = std::string(name) + ": ";
  return box.name.empty() ? header + box.address : header + encoded_words(box.name) + " <" + box.address + ">";
}

std::string text_of(const Message& message) {
  std::string out = state_mark(message) + headline(message) + "\n";
  for (const Line& line : message.lines) {
    if (message.alerts > 1) out += "\n* " + line.title + (line.resolved_ms != 0 ? " (resolved)" : "") + "\n";
    if (!line.text.empty()) out += "\n" + line.text + "\n";
    for (const auto& [name, value] : line.labels) out += "  " + name + ": " + value + "\n";
    if (const std::string past = history(line); !past.empty()) out += "  " + past + "\n";
  }
  if (const std::string more = remainder(message); !more.empty()) out += "\n" + more + "\n";
  return out + "\n-- \n" + footer(message) + "\n";
}

std::string lines_in_html(const std::string& text) {
  std::string out;
  for (const char c : escape_html(text)) {
    if (c == '\n') out += "<br>";
    out += c;
  }
  return out;
}

std::string html_of(const Message& message) {
  constexpr const char* kColors[] = {"#439fe0", "#ecb22e", "#e8912d", "#e01e5a"};
  const bool over = message.kind == Message::Kind::resolved;
  const std::string color = over ? "#2eb67d" : kColors[static_cast<std::size_t>(message.severity)];
  std::string out =
      "<!DOCTYPE html>\n<html><body style=\"font-family:sans-serif\">\n<div style=\"border-left:6px solid " + color +
      ";padding-left:12px\">\n<h2>" + escape_html(state_mark(message) + headline(message)) + "</h2>\n";
  for (const Line& line : message.lines) {
    if (message.alerts > 1)
      out += "<h3>" + escape_html(line.title) + (line.resolved_ms != 0 ? " (resolved)" : "") + "</h3>\n";
    if (!line.text.empty()) out += "<p>" + lines_in_html(line.text) + "</p>\n";
    if (!line.labels.empty()) out += "<table>\n";
    for (const auto& [name, value] : line.labels) {
      out += "<tr><th align=\"left\">" + escape_html(name) + "</th><td>" + escape_html(value) + "</td></tr>\n";
    }
    if (!line.labels.empty()) out += "</table>\n";
    if (const std::string past = history(line); !past.empty()) out += "<p><i>" + escape_html(past) + "</i></p>\n";
  }
  if (const std::string more = remainder(message); !more.empty()) out += "<p>" + escape_html(more) + "</p>\n";
  return out + "</div>\n<p><small>" + escape_html(footer(message)) + "</small></p>\n</body></html>\n";
}

}  // namespace

Mailbox mailbox_from(const std::string& key, const std::string& text) {
  Mailbox box;
  const std::size_t open = text.find('<');
  box.address = open == text.npos ? text : text.substr(open + 1, text.find('>') - open - 1);
  if (open != text.npos) {
    box.name = text.substr(0, open);
    while (!box.name.empty() && (box.name.back() == ' ' || box.name.back() == '"')) box.name.pop_back();
    if (box.name.starts_with('"')) box.name.erase(0, 1);
  }
  const std::size_t at = box.address.find('@');
  const bool odd = std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (odd || at == 0 || at == box.address.npos || at + 1 == box.address.size() ||
      box.address.find_first_of(" <>,;@", at + 1) != box.address.npos || box.address.find(' ') != box.address.npos) {
    throw sluice::BadConfig(key + ": \"" + text +
                            "\" is no address: one is written name@example.org, or Name <name@example.org>");
  }
  return box;
}

std::string encoded_words(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain && text.find("=?") == text.npos && text.size() < 900) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t length = std::min(kWordBytes, text.size());
    while (length < text.size() && length > 1 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
    out += out.empty() ? "=?utf-8?B?" : "\r\n =?utf-8?B?";
    sluice::append_base64(out, text.substr(0, length));
    out += "?=";
    text.remove_prefix(length);
  }
  return out;
}

Mail mail_from(const Message& message, const Mailbox& from, const Mailbox& to, const std::string& subject_prefix) {
  const std::string domain = from.address.substr(from.address.find('@') + 1);
  const std::string root = "<sluice." + message.id + "@" + domain + ">";
  const bool first = message.number <= 1;
  const std::string subject = cut(one_line(subject_prefix + state_mark(message) + headline(message)), kSubjectBytes);
  Mail mail;
  mail.headers = {
      address_header("From", from),
      address_header("To", to),
      "Subject: " + encoded_words(subject),
      "Date: " + date_text(message.at_ms, "%a, %d %b %Y %H:%M:%S +0000"),
      "Message-ID: " +
          (first ? root : "<sluice." + message.id + "." + std::to_string(message.number) + "@" + domain + ">"),
      "Auto-Submitted: auto-generated",
      "X-Sluice-Rule: " + encoded_words(one_line(message.rule)),
      "X-Sluice-Severity: " + std::string(to_text(message.severity))};
  if (!first) {
    mail.headers.push_back("In-Reply-To: " + root);
    mail.headers.push_back("References: " + root);
  }
  if (message.severity == Severity::critical) mail.headers.emplace_back("X-Priority: 1");
  mail.text = text_of(message);
  mail.html = html_of(message);
  return mail;
}

}  // namespace alerting
