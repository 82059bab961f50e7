#include "core/binary.hh"

#include <sluice/cpp/utf8.hh>

#include <charconv>

namespace sluice {

namespace {

/// Booleans and integers are written to JSON without quotes: only when they are what they claim to be.
std::uint32_t honest_type(std::uint32_t claimed, std::string_view value) noexcept {
  if (claimed == SLUICE_BOOLEAN) return value == "true" || value == "false" ? SLUICE_BOOLEAN : SLUICE_STRING;
  if (claimed != SLUICE_INTEGER) return claimed <= SLUICE_TIMESTAMP ? claimed : std::uint32_t{SLUICE_STRING};
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::string_view digits = value.starts_with('-') ? value.substr(1) : value;
  const bool canonical =
      error == std::errc{} && end == value.data() + value.size() && (digits.front() != '0' || value == "0");
  return canonical ? SLUICE_INTEGER : SLUICE_STRING;
}

std::string_view* place_of(Known known, EventParts& parts, std::string_view& specversion) noexcept {
  switch (known) {
    case Known::id:
      return &parts.id;
    case Known::source:
      return &parts.source;
    case Known::type:
      return &parts.type;
    case Known::subject:
      return &parts.subject;
    case Known::time:
      return &parts.time;
    case Known::datacontenttype:
      return &parts.datacontenttype;
    case Known::dataschema:
      return &parts.dataschema;
    case Known::specversion:
      return &specversion;
    default:
      return nullptr;
  }
}

bool holds(const std::vector<sluice_attribute>& attributes, std::string_view name) noexcept {
  for (const sluice_attribute& attribute : attributes) {
    if (view(attribute.name) == name) return true;
  }
  return false;
}

}  // namespace

Fault read_attributes(const sluice_record& record, const EventLimits& limits, bool lenient,
                      std::vector<sluice_attribute>& extensions, EventParts& parts) {
  if (record.header_count > limits.attributes) return {"too_many_attributes", {}};
  extensions.clear();
  std::string_view specversion;
  bool anything = false;
  for (std::uint32_t i = 0; i < record.header_count; ++i) {
    const sluice_attribute& header = record.headers[i];
    const std::string_view name = view(header.name), value = view(header.value);
    const Known known = known_name(name);
    if (known == Known::data) return {"reserved_name", name};
    if (!is_attribute_name(name)) return {"bad_name", name};
    anything = anything || known != Known::datacontenttype;
    if (header.value.ptr == nullptr) continue;
    if (!valid_utf8(value)) return {"header_bad_utf8", name};
    if (std::string_view* place = place_of(known, parts, specversion)) {
      if (place->data() != nullptr) return {"duplicate_header", name};
      *place = value;
    } else {
      if (holds(extensions, name)) return {"duplicate_header", name};
      extensions.push_back(header);
      extensions.back().type = honest_type(header.type, value);
    }
  }
  parts.extensions = extensions;
  if (specversion.data() == nullptr) {
    if (lenient) return {};
    return anything ? Fault{"missing_required", "specversion"} : Fault{"not_cloudevent", {}};
  }
  return specversion == "1.0" ? Fault{} : Fault{"specversion_unsupported", "specversion"};
}

}  // namespace sluice
