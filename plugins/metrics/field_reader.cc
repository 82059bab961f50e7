#include "field_reader.hh"

#include <sluice/event.h>

#include <simdjson.h>
#include <cctype>
#include <cstring>

namespace metrics {
namespace {

bool may_hold(std::string_view data, const std::string& key, bool has_escapes) {
  return has_escapes || ::memmem(data.data(), data.size(), key.data(), key.size()) != nullptr;
}

/// What is not a plain name (a position in a list, an escape) is looked for by parsing alone.
std::string searchable(const std::string& key) {
  const bool is_index = key.find_first_not_of("0123456789") == std::string::npos;
  return is_index || key.find('~') != std::string::npos ? std::string() : key;
}

std::string_view text_of(simdjson::simdjson_result<simdjson::ondemand::value> found) {
  simdjson::ondemand::value value;
  if (found.get(value) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return text;
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return {};
  if (type != simdjson::ondemand::json_type::number && type != simdjson::ondemand::json_type::boolean) return {};
  const std::string_view token = value.raw_json_token();
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

}  // namespace

static_assert(SLUICE_PADDING >= simdjson::SIMDJSON_PADDING, "the host's padding is enough for the parser");

struct FieldReader::Parser {
  simdjson::ondemand::parser parser;
};

FieldReader::FieldReader(const std::vector<std::string>& pointers, const std::string& label)
    : parser_(std::make_unique<Parser>()) {
  for (const std::string& text : pointers) pointers_.push_back(pointer_to(text));
  if (!label.empty()) label_ = pointer_to(label);
}

FieldReader::Pointer FieldReader::pointer_to(const std::string& text) {
  return {text, searchable(text.substr(text.rfind('/') + 1))};
}

FieldReader::~FieldReader() = default;

std::string_view FieldReader::read(sluice::EventView event, std::uint32_t wanted,
                                   std::vector<std::optional<double>>& values) {
  const std::string_view data = event.data();
  if (!event.has_data() || event.data_is_bytes() || data.empty()) return {};
  const bool has_escapes = std::memchr(data.data(), '\\', data.size()) != nullptr;
  simdjson::ondemand::document document;
  bool parsed = false, failed = false;
  const auto parse = [&] {
    if (parsed || failed) return parsed;
    const simdjson::padded_string_view padded(data.data(), data.size(), data.size() + SLUICE_PADDING);
    parsed = parser_->parser.iterate(padded).get(document) == simdjson::SUCCESS;
    failed = !parsed;
    return parsed;
  };
  for (std::size_t i = 0; i < pointers_.size(); ++i) {
    if ((wanted >> i & 1) == 0 || !may_hold(data, pointers_[i].last_key, has_escapes) || !parse()) continue;
    double value = 0;
    if (document.at_pointer(pointers_[i].text).get_double().get(value) == simdjson::SUCCESS) values[i] = value;
  }
  if (!label_ || !may_hold(data, label_->last_key, has_escapes) || !parse()) return {};
  return text_of(document.at_pointer(label_->text));
}

}  // namespace metrics
