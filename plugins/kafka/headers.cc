#include "headers.hh"

#include <sluice/cpp/http_binding.hh>

#include <algorithm>

namespace kafka {
namespace {

constexpr std::string_view kPrefix = "ce_";
constexpr std::string_view kSchemaHeader = "__value_schema_id";  // a byte of one and a GUID in sixteen bytes
constexpr std::string_view kContentType = "content-type";

/// The binding's examples write it in lower case; clients of other languages do not all do so.
bool is_content_type(const Header& header) noexcept {
  return header.has_value && sluice::http_binding::equals_ignoring_case(header.name, kContentType);
}

}  // namespace

Mode mode_of(const std::vector<Header>& headers) noexcept {
  const auto type = std::find_if(headers.begin(), headers.end(), is_content_type);
  if (type != headers.end()) {
    const sluice::http_binding::Content content = sluice::http_binding::mode_of(type->value);
    if (!content.readable) return Mode::unreadable;
    if (content.mode == sluice::http_binding::Mode::structured) return Mode::structured;
    if (content.mode == sluice::http_binding::Mode::batched) return Mode::batched;
  }
  const bool has_attributes = std::any_of(headers.begin(), headers.end(),
                                          [](const Header& header) { return header.name.starts_with(kPrefix); });
  return has_attributes ? Mode::binary : Mode::plain;
}

void attributes_of(const std::vector<Header>& headers, std::vector<sluice_attribute>& out) {
  out.clear();
  for (const Header& header : headers) {
    std::string_view name;
    if (header.name.starts_with(kPrefix)) {
      name = header.name.substr(kPrefix.size());
    } else if (is_content_type(header)) {
      name = "datacontenttype";
    } else if (header.name == kSchemaHeader && header.has_value) {
      out.push_back({sluice::str("valueschemaid"), sluice::str("guid"), SLUICE_STRING, 0});  // its bytes are no text
      continue;
    } else {
      continue;
    }
    const std::string_view value = header.value.data() == nullptr ? std::string_view("") : header.value;
    sluice_attribute attribute{sluice::str(name), sluice::str(value), SLUICE_STRING, 0};
    if (!header.has_value) attribute.value = {nullptr, 0};
    out.push_back(attribute);
  }
}

void describe(const std::vector<Header>& headers, bool has_value, Leniency leniency, sluice_record& record,
              std::vector<sluice_attribute>& attributes) {
  switch (mode_of(headers)) {
    case Mode::structured:
      record.flags |= SLUICE_SINGLE;
      return;
    case Mode::batched:
      if (!leniency.takes_batches) break;
      record.flags |= SLUICE_BATCHED;
      return;
    case Mode::plain:
      if (!leniency.takes_plain) break;
      if (!leniency.takes_batches) record.flags |= SLUICE_SINGLE;
      return;
    case Mode::binary:
    case Mode::unreadable:
      break;
  }
  attributes_of(headers, attributes);
  record.flags |= SLUICE_ATTRIBUTES;
  record.headers = attributes.data();
  record.header_count = static_cast<std::uint32_t>(attributes.size());
  if (!has_value) record.ptr = nullptr;
}

void headers_of(const sluice::EventView& event, std::vector<std::string>& names, std::vector<Header>& out) {
  out.clear();
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out.push_back({name, value, true});
  };
  add("ce_specversion", "1.0");
  add("ce_id", event.id());
  add("ce_source", event.source());
  add("ce_type", event.type());
  add("ce_subject", event.subject());
  add("ce_time", event.time());
  add("ce_dataschema", event.dataschema());
  const sluice_event& raw = event.raw();
  if (names.size() < raw.extension_count) names.resize(raw.extension_count);
  for (std::uint32_t i = 0; i < raw.extension_count; ++i) {
    names[i].assign(kPrefix).append(sluice::view(raw.extensions[i].name));
    out.push_back({names[i], sluice::view(raw.extensions[i].value), true});
  }
  // An event that came as JSON without a datacontenttype has JSON data; in another binding that has to be said.
  const bool is_json = event.datacontenttype().empty() && event.has_data() && !event.data_is_bytes();
  add(kContentType, is_json ? std::string_view("application/json") : event.datacontenttype());
}

}  // namespace kafka
