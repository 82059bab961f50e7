#include "subject.hh"

#include <algorithm>

namespace nats {
namespace {

bool is_space_or_control(char c) noexcept { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; }

/// Calls judge(token, is_last) for each; false as soon as one is not good.
template <class Judge>
bool each_token(std::string_view subject, Judge judge) noexcept {
  while (true) {
    const std::size_t dot = subject.find('.');
    if (!judge(subject.substr(0, dot), dot == subject.npos)) return false;
    if (dot == subject.npos) return true;
    subject.remove_prefix(dot + 1);
  }
}

bool is_plain_token(std::string_view token) noexcept {
  return !token.empty() && std::none_of(token.begin(), token.end(),
                                        [](char c) { return is_space_or_control(c) || c == '*' || c == '>'; });
}

}  // namespace

bool is_publishable(std::string_view subject) noexcept {
  return each_token(subject, [](std::string_view token, bool) { return is_plain_token(token); });
}

bool is_subscribable(std::string_view subject) noexcept {
  return each_token(subject, [](std::string_view token, bool last) {
    return token == "*" || (token == ">" && last) || is_plain_token(token);
  });
}

void append_token_text(std::string_view value, std::string& out) {
  for (const char c : value) out += is_space_or_control(c) || c == '*' || c == '>' ? '_' : c;
}

bool covers(std::string_view wide, std::string_view subject) noexcept {
  while (true) {
    const std::string_view a = wide.substr(0, wide.find('.')), b = subject.substr(0, subject.find('.'));
    if (a == ">") return true;
    if (b == ">" || (a != "*" && a != b)) return false;
    const bool wide_ends = a.size() == wide.size(), subject_ends = b.size() == subject.size();
    if (wide_ends || subject_ends) return wide_ends && subject_ends;
    wide.remove_prefix(a.size() + 1);
    subject.remove_prefix(b.size() + 1);
  }
}

std::string wildcard_of(std::string_view subject_template) {
  const std::string_view literal = subject_template.substr(0, subject_template.find('{'));
  if (literal.size() == subject_template.size()) return std::string(literal);
  const std::size_t dot = literal.rfind('.');
  return dot == literal.npos ? ">" : std::string(literal.substr(0, dot + 1)) + ">";
}

}  // namespace nats
