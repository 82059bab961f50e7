#include "answer.hh"

#include <charconv>

namespace rabbitmq {
namespace {

std::string_view cure_for(std::uint16_t code, const Asked& asked) {
  switch (code) {
    case 403:
      return "check user, password and the user's permissions in this virtual host";
    case 404:
      return asked.passive ? "create it, or leave passive: true out and it is declared" : "create it on the server";
    case 405:
      return "another connection holds it exclusively";
    case 406:
      return "it is there with other settings: give the same ones here, set passive: true to take it as it is, or "
             "delete "
             "it on the server";
    case 530:
      return "check the virtual host at the end of the url";
    default:
      return "";
  }
}

}  // namespace

std::string explained(std::uint16_t code, std::string_view text, const Asked& asked) {
  std::string said = asked.what;
  if (!said.empty()) said += ": ";
  said += "the server says " + std::to_string(code) + " ";
  said += text;
  const std::string_view cure = cure_for(code, asked);
  if (!cure.empty() && message_limit_in(text) == 0) said.append("; ").append(cure);
  return said;
}

std::uint64_t message_limit_in(std::string_view text) {
  constexpr std::string_view kBefore = "larger than configured max size ";
  const std::size_t at = text.find(kBefore);
  if (at == text.npos) return 0;
  std::uint64_t limit = 0;
  std::from_chars(text.data() + at + kBefore.size(), text.data() + text.size(), limit);
  return limit;
}

}  // namespace rabbitmq
