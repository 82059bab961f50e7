#include "data_text.hh"

#include <sluice/event.h>

#include <simdjson.h>

namespace handover {

static_assert(SLUICE_PADDING >= simdjson::SIMDJSON_PADDING, "the host's padding is enough for the parser");

struct DataReader::Parser {
  simdjson::ondemand::parser parser;
};

DataReader::DataReader() : parser_(std::make_unique<Parser>()) {}
DataReader::~DataReader() = default;

std::optional<std::string_view> DataReader::read(sluice::EventView event, const std::string& pointer) {
  const std::string_view data = event.data();
  if (!event.has_data() || event.data_is_bytes() || data.empty()) return std::nullopt;
  simdjson::ondemand::document document;
  const simdjson::padded_string_view padded(data.data(), data.size(), data.size() + SLUICE_PADDING);
  if (parser_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  simdjson::ondemand::value value;
  if (document.at_pointer(pointer).get(value) != simdjson::SUCCESS) return std::nullopt;
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    text_ = text;
    return text_;
  }
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS || type != simdjson::ondemand::json_type::number) return std::nullopt;
  const std::string_view token = value.raw_json_token();
  text_ = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  return text_;
}

}  // namespace handover
