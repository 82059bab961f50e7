#include "core/data_field.hh"

#include <simdjson.h>

namespace sluice {

std::string data_field(const sluice_event& event, std::string_view name) {
  if ((event.flags & SLUICE_HAS_DATA) == 0 || (event.flags & SLUICE_DATA_BYTES) != 0) return {};
  simdjson::dom::parser parser;
  simdjson::dom::element value;
  if (parser.parse(event.text + event.data.at, event.data.len, true).get(value) != simdjson::SUCCESS) return {};
  simdjson::dom::element member;
  if (value.at_key(name).get(member) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (member.get(text) == simdjson::SUCCESS) return std::string(text);
  if (member.is_object() || member.is_array() || member.is_null()) return {};
  return simdjson::minify(member);
}

}  // namespace sluice
