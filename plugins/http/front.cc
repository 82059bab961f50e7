#include "front.hh"

#include "ascii.hh"

#include <algorithm>

namespace sluice_http {
namespace {

namespace binding = sluice::http_binding;

/// Takes as long for a wrong token as for the right one, so that its bytes cannot be guessed one by one.
bool same_secret(std::string_view given, std::string_view secret) noexcept {
  unsigned different = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    different |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(secret[i % secret.size()]);
  }
  return different == 0;
}

/// The value of `name` in a query, percent-decoded. Empty when it is not there.
std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.size() <= name.size() || pair.substr(0, name.size()) != name || pair[name.size()] != '=') continue;
    std::string value(pair.substr(name.size() + 1));
    if (!binding::detail::undo_percent(value)) return {};
    return value;
  }
  return {};
}

std::string_view path_of(std::string_view target) noexcept { return target.substr(0, target.find('?')); }

std::string_view query_of(std::string_view target) noexcept {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

}  // namespace

std::string_view RequestHead::header(std::string_view name) const noexcept {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const Header& one) { return same_text(one.name, name); });
  return found == headers.end() ? std::string_view() : found->value;
}

bool Front::authorised(const RequestHead& head) const {
  if (options_.token.empty()) return true;
  const std::string_view given = head.header("authorization");
  if (!given.empty()) {
    constexpr std::string_view scheme = "bearer ";
    return begins_with(given, scheme) && same_secret(binding::trimmed(given.substr(scheme.size())), options_.token);
  }
  return same_secret(query_value(query_of(head.target), "access_token"), options_.token);
}

std::optional<Answer> Front::screen(const RequestHead& head) const {
  if (path_of(head.target) != options_.path) {
    return refusal(404, "not_found", "events are taken at " + options_.path);
  }
  const bool handshakes = !options_.consent.origins.empty();
  if (head.method == "OPTIONS" && handshakes) {
    return answer_handshake(options_.consent, binding::trimmed(head.header("webhook-request-origin")));
  }
  if (head.method != "POST" && head.method != "PUT") {
    Answer made = refusal(405, "method_not_allowed", "events come by POST or PUT");
    made.allow = handshakes ? "POST, PUT, OPTIONS" : "POST, PUT";
    return made;
  }
  if (!authorised(head)) {
    return refusal(401, "unauthorised", "bring the token: Authorization: Bearer … or ?access_token=…");
  }
  const std::string_view origin = binding::trimmed(head.header("webhook-request-origin"));
  if (handshakes && (options_.require_origin || !origin.empty()) && !allows(options_.consent, origin)) {
    return refusal(403, "origin_not_allowed", "WebHook-Request-Origin must be repeated and be one of allowed_origins");
  }
  // Two of them would let one reader see another mode than the next one does.
  if (std::count_if(head.headers.begin(), head.headers.end(),
                    [](const Header& one) { return same_text(one.name, "content-type"); }) > 1) {
    return refusal(400, "duplicate_header", "the header Content-Type stands there twice");
  }
  if (!binding::mode_of(head.header("content-type")).readable) {
    return refusal(415, "unsupported_format", "CloudEvents are read in the JSON format and UTF-8 only");
  }
  return std::nullopt;
}

std::optional<Answer> Front::read_mode(const RequestHead& head, std::uint32_t& flags,
                                       binding::BinaryHeaders& attributes) const {
  flags = 0;
  attributes.clear();
  const binding::Mode mode = binding::mode_of(head.header("content-type")).mode;
  if (mode == binding::Mode::structured) {
    flags = SLUICE_SINGLE;  // an array is batched mode's, whatever the body looks like
    return std::nullopt;
  }
  if (mode == binding::Mode::batched) {
    flags = SLUICE_BATCHED;
    return std::nullopt;
  }
  if (options_.any_content && std::none_of(head.headers.begin(), head.headers.end(),
                                           [](const Header& one) { return begins_with(one.name, "ce-"); })) {
    return std::nullopt;
  }
  flags = SLUICE_ATTRIBUTES;
  for (const Header& one : head.headers) {
    if (const auto why = attributes.add(one.name, one.value)) return refusal(400, why->code, why->reason);
  }
  return std::nullopt;
}

}  // namespace sluice_http
