#include "binding.hh"

#include <sluice/cpp/http_binding.hh>

#include <algorithm>

namespace rabbitmq {
namespace {

constexpr std::string_view kPrefixes[] = {"ce-", "cloudEvents_", "cloudEvents:"};

/// The prefix that a header's name begins with, or an empty text.
std::string_view prefix_of(std::string_view name) {
  for (const std::string_view prefix : kPrefixes) {
    if (name.starts_with(prefix)) return prefix;
  }
  return {};
}

sluice_attribute attribute(std::string_view name, std::string_view value, std::uint32_t type = SLUICE_STRING) {
  return {.name = sluice::str(name), .value = sluice::str(value), .type = type, .reserved = 0};
}

bool holds(const std::vector<sluice_attribute>& attributes, std::string_view name) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [&](const sluice_attribute& each) { return sluice::view(each.name) == name; });
}

/// One message has one way to write names: a header of another way keeps its whole name, which is no attribute's name,
/// so that the message is refused with that name in the reason instead of being half understood.
void take_headers(const Message& message, std::vector<sluice_attribute>& attributes) {
  std::string_view ours;
  for (std::size_t i = 0; i < message.field_count; ++i) {
    const Field& field = message.fields[i];
    const std::string_view prefix = prefix_of(field.name);
    if (prefix.empty()) continue;
    if (ours.empty()) ours = prefix;
    const std::string_view name = prefix == ours ? std::string_view(field.name).substr(prefix.size()) : field.name;
    attributes.push_back(attribute(name, field.value, field.type));
  }
}

}  // namespace

void read_message(const Message& message, Reading& reading) {
  namespace http = sluice::http_binding;
  reading.flags = 0;
  reading.attributes.clear();
  const http::Content content = http::mode_of(message.content_type);
  if (content.mode != http::Mode::binary) {
    reading.flags = content.mode == http::Mode::batched ? SLUICE_BATCHED : SLUICE_SINGLE;
    return;
  }
  take_headers(message, reading.attributes);
  const bool binary = !reading.attributes.empty();
  if (binary) {
    reading.flags = SLUICE_ATTRIBUTES;
    if (!message.content_type.empty()) reading.attributes.push_back(attribute("datacontenttype", message.content_type));
  } else if (!message.message_id.empty()) {
    reading.attributes.push_back(attribute("id", message.message_id));
  }
  if (!message.correlation_id.empty() && !holds(reading.attributes, "correlationid")) {
    reading.attributes.push_back(attribute("correlationid", message.correlation_id));
  }
}

}  // namespace rabbitmq
