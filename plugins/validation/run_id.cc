#include "run_id.hh"

#include <sluice/event.h>

#include <simdjson.h>
#include <cstring>

namespace validation {

static_assert(SLUICE_PADDING >= simdjson::SIMDJSON_PADDING, "the host's padding is enough for the parser");

struct RunIdReader::Parser {
  simdjson::ondemand::parser parser;
};

RunIdReader::RunIdReader(std::string pointer) : pointer_(std::move(pointer)), parser_(std::make_unique<Parser>()) {
  last_key_ = pointer_.substr(pointer_.rfind('/') + 1);
  // An escape in the pointer or in the key (unlikely in either) would hide it: then every event is parsed.
  if (last_key_.find('~') != std::string::npos) last_key_.clear();
}

RunIdReader::~RunIdReader() = default;

std::optional<std::string_view> RunIdReader::read(sluice::EventView event) {
  const std::string_view data = event.data();
  if (!event.has_data() || event.data_is_bytes() || data.empty()) return std::nullopt;
  if (::memmem(data.data(), data.size(), last_key_.data(), last_key_.size()) == nullptr &&
      ::memchr(data.data(), '\\', data.size()) == nullptr) {
    return std::nullopt;
  }
  simdjson::ondemand::document document;
  const simdjson::padded_string_view padded(data.data(), data.size(), data.size() + SLUICE_PADDING);
  if (parser_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  simdjson::ondemand::value value;
  if (document.at_pointer(pointer_).get(value) != simdjson::SUCCESS) return std::nullopt;
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

}  // namespace validation
