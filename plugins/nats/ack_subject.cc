#include "ack_subject.hh"

#include <array>
#include <charconv>

namespace nats {
namespace {

bool number(std::string_view text, std::uint64_t& out) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::optional<Delivery> read_ack_subject(std::string_view subject) noexcept {
  constexpr std::string_view kFront = "$JS.ACK.";
  constexpr std::size_t kShort = 7, kLong = 9;  // tokens behind the front
  if (!subject.starts_with(kFront)) return std::nullopt;
  subject.remove_prefix(kFront.size());
  std::array<std::string_view, kLong> tokens;
  std::size_t count = 0;
  for (bool more = true; more && count < tokens.size();) {
    const std::size_t dot = subject.find('.');
    tokens[count++] = subject.substr(0, dot);
    more = dot != subject.npos;
    subject.remove_prefix(more ? dot + 1 : subject.size());
  }
  if (count != kShort && count != kLong) return std::nullopt;
  const std::size_t at = count - kShort;  // the long form has two tokens in front
  Delivery found{.stream = tokens[at]};
  if (!number(tokens[at + 2], found.times) || !number(tokens[at + 3], found.sequence) ||
      !number(tokens[at + 6], found.pending)) {
    return std::nullopt;
  }
  return found;
}

}  // namespace nats
