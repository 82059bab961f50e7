// A configuration as it may be shown: without what must stay secret.
#include "core/schema_defaults.hh"
#include "core/schema_steps.hh"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

bool key_names_a_secret(std::string key) {
  std::ranges::transform(key, key.begin(),
                         [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
  static constexpr std::array kEnds{"password", "passwd", "secret",        "token",
                                    "api_key",  "apikey", "authorization", "private_key"};
  return std::ranges::any_of(kEnds, [&](const char* end) { return key.ends_with(end); });
}

/// "redis://user:password@host" keeps everything but the password.
std::string without_password(const std::string& text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const std::size_t start = scheme + 3;
  const std::size_t end = std::min(text.find_first_of("/?#", start), text.size());
  const std::size_t at = text.rfind('@', end == 0 ? 0 : end - 1);
  if (at == std::string::npos || at < start || at >= end) return text;
  const std::size_t colon = text.find(':', start);
  if (colon == std::string::npos || colon > at) return text;
  return text.substr(0, colon + 1) + "***" + text.substr(at);
}

void mask(const Value& root, const Value* schema, Value& value, bool secret) {
  schema = resolve(root, schema);
  static const Value kNothing{};
  const Value& here = schema == nullptr ? kNothing : *schema;
  secret = secret || value.secret || flag(here, "writeOnly");
  if (value.is_map()) {
    for (auto& [key, member] : value.map) {
      mask(root, member_schema(root, here, key), member, secret || key_names_a_secret(key));
    }
  } else if (value.is_list()) {
    for (Value& member : value.list) mask(root, here.find("items"), member, secret);
  } else if (secret && value.kind != Value::Kind::null && !(value.is_text() && value.string.empty())) {
    value = make_string("***", value);
  } else if (value.is_text()) {
    value.string = without_password(value.string);
  }
}

}  // namespace

Value without_secrets(const Value& schema, const Value& config) {
  Value shown = config;
  mask(schema, &schema, shown, false);
  return shown;
}

}  // namespace sluice
