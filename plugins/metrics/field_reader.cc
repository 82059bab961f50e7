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

}  // namespace

static_assert(SLUICE_PADDING >= simdjson::SIMDJSON_PADDING, "the host's padding is enough for the parser");

struct FieldReader::Parser {
  simdjson::ondemand::parser parser;
};

FieldReader::FieldReader(const std::vector<std::string>& pointers) : parser_(std::make_unique<Parser>()) {
  for (const std::string& text : pointers) pointers_.push_back({text, searchable(text.substr(text.rfind('/') + 1))});
}

FieldReader::~FieldReader() = default;

void FieldReader::read(sluice::EventView event, std::uint32_t wanted, std::vector<std::optional<double>>& values) {
  const std::string_view data = event.data();
  if (!event.has_data() || event.data_is_bytes() || data.empty()) return;
  const bool has_escapes = std::memchr(data.data(), '\\', data.size()) != nullptr;
  simdjson::ondemand::document document;
  bool parsed = false;
  for (std::size_t i = 0; i < pointers_.size(); ++i) {
    if ((wanted >> i & 1) == 0 || !may_hold(data, pointers_[i].last_key, has_escapes)) continue;
    if (!parsed) {
      const simdjson::padded_string_view padded(data.data(), data.size(), data.size() + SLUICE_PADDING);
      if (parser_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return;
      parsed = true;
    }
    double value = 0;
    if (document.at_pointer(pointers_[i].text).get_double().get(value) == simdjson::SUCCESS) values[i] = value;
  }
}

}  // namespace metrics
