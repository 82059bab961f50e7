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

/// Each value with its length, so that "a","bc" is not "ab","c"; and text apart from what only looks like it.
void spell_member(std::string& to, std::string_view value, bool is_text) {
  to += is_text ? 't' : 'v';
  to += std::to_string(value.size());
  to += ':';
  to += value;
}

std::string once_key_space(std::string_view pointer) { return "once\n" + std::string(pointer) + "\n"; }

struct DataKey::Parser {
  simdjson::dom::parser dom;
};

DataKey::DataKey(std::vector<std::string> pointers)
    : pointers_(std::move(pointers)), parser_(std::make_unique<Parser>()) {}
DataKey::DataKey(DataKey&&) noexcept = default;
DataKey::~DataKey() = default;

std::string_view DataKey::of(const sluice_event& event) {
  if ((event.flags & SLUICE_HAS_DATA) == 0 || (event.flags & SLUICE_DATA_BYTES) != 0) return {};
  simdjson::dom::element data;
  // The bytes behind data are readable, so nothing is copied.
  if (parser_->dom.parse(event.text + event.data.at, event.data.len, false).get(data) != simdjson::SUCCESS) return {};
  key_.clear();
  for (const std::string& pointer : pointers_) {
    simdjson::dom::element member;
    if (data.at_pointer(pointer).get(member) != simdjson::SUCCESS || member.is_null()) return {};
    std::string_view text;
    const bool is_text = member.get(text) == simdjson::SUCCESS;
    std::string other;
    if (!is_text) text = other = simdjson::minify(member);
    spell_member(key_, text, is_text);
  }
  return key_;
}

}  // namespace sluice
