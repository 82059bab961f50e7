#include "headers.hh"

#include <sluice/cpp/http_binding.hh>

namespace nats {
namespace {

namespace binding = sluice::http_binding;

void append(std::string_view name, std::string_view value, Headers& out) {
  auto& [header, encoded] = out.emplace_back();
  header.append("ce-").append(name);
  binding::encode(value, encoded);
}

}  // namespace

void append_attributes(const sluice::EventView& event, Headers& out) {
  append("specversion", "1.0", out);
  append("id", event.id(), out);
  append("source", event.source(), out);
  append("type", event.type(), out);
  if (!event.subject().empty()) append("subject", event.subject(), out);
  if (!event.time().empty()) append("time", event.time(), out);
  if (!event.dataschema().empty()) append("dataschema", event.dataschema(), out);
  std::string_view content_type = event.datacontenttype();
  // Without the attribute JSON is meant, which a reader of binary mode cannot know.
  if (content_type.empty() && event.has_data() && !event.data_is_bytes()) content_type = "application/json";
  if (!content_type.empty()) append("datacontenttype", content_type, out);
  for (std::uint32_t i = 0; i < event.raw().extension_count; ++i) {
    const sluice_attribute& extension = event.raw().extensions[i];
    append(sluice::view(extension.name), sluice::view(extension.value), out);
  }
}

void Attributes::keep(std::string name, std::string_view raw_value) {
  binding::Refusal ignored;
  auto decoded = binding::decode(raw_value, ignored);
  const std::string& kept_name = texts_.emplace_back(std::move(name));
  const std::string& value = texts_.emplace_back(decoded ? std::move(*decoded) : std::string(raw_value));
  attributes_.push_back(
      {.name = sluice::str(kept_name), .value = sluice::str(value), .type = SLUICE_STRING, .reserved = 0});
}

std::uint32_t Attributes::read(const Headers& headers) {
  attributes_.clear();
  texts_.clear();
  std::string_view content_type;
  bool has_data_type = false;
  for (const auto& [name, value] : headers) {
    if (binding::equals_ignoring_case(name, "content-type")) content_type = value;
    if (!binding::starts_with_ignoring_case(name, "ce-")) continue;
    std::string attribute;
    for (const char c : std::string_view(name).substr(3)) attribute += binding::lower(c);
    has_data_type = has_data_type || attribute == "datacontenttype";
    keep(std::move(attribute), value);
  }
  switch (binding::mode_of(content_type).mode) {
    case binding::Mode::structured:
      attributes_.clear();
      return SLUICE_SINGLE;
    case binding::Mode::batched:
      attributes_.clear();
      return SLUICE_BATCHED;
    case binding::Mode::binary:
      break;
  }
  if (attributes_.empty()) return 0;
  // Some senders use HTTP's own header for the data's type.
  if (!has_data_type && !content_type.empty()) keep("datacontenttype", content_type);
  return SLUICE_ATTRIBUTES;
}

}  // namespace nats
