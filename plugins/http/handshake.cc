#include "handshake.hh"

#include "ascii.hh"

#include <algorithm>
#include <charconv>

namespace sluice_http {
namespace {

std::optional<std::uint64_t> positive(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

bool allows(const Consent& consent, std::string_view origin) noexcept {
  if (origin.empty()) return false;
  return std::any_of(consent.origins.begin(), consent.origins.end(),
                     [&](const std::string& name) { return name == "*" || same_text(name, origin); });
}

Answer answer_handshake(const Consent& consent, std::string_view origin) {
  Answer made;
  made.status = 200;
  made.allow = "POST";
  if (consent.by_callback || !allows(consent, origin)) return made;
  // The name is repeated as it was asked: a caller can compare it byte by byte.
  made.allowed_origin = origin;
  made.allowed_rate = consent.rate_per_minute == 0 ? "*" : std::to_string(consent.rate_per_minute);
  return made;
}

MaySend judge_consent(std::string_view own_origin, std::uint64_t requested_rate, std::string_view allowed_origin,
                      std::string_view allowed_rate) noexcept {
  MaySend made;
  made.granted = allowed_origin == "*" || (!allowed_origin.empty() && same_text(allowed_origin, own_origin));
  if (!made.granted || allowed_rate == "*") return made;
  made.rate_per_minute = positive(allowed_rate);
  // A far side that was asked for a rate and did not answer: what we asked for is then the most we may do.
  if (!made.rate_per_minute && requested_rate > 0) made.rate_per_minute = requested_rate;
  return made;
}

}  // namespace sluice_http
