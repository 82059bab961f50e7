#include "json_reader.hh"

#include <simdjson.h>
#include <sluice/event.h>

namespace alerting {

static_assert(SLUICE_PADDING >= simdjson::SIMDJSON_PADDING, "the host's padding is enough for the parser");

struct JsonReader::Parser {
  simdjson::dom::parser dom;
  simdjson::dom::element root;
  bool open = false;
};

JsonReader::JsonReader() : parser_(std::make_unique<Parser>()) {}
JsonReader::~JsonReader() = default;

bool JsonReader::open(std::string_view json, bool padded) {
  parser_->open = parser_->dom.parse(json.data(), json.size(), !padded).get(parser_->root) == simdjson::SUCCESS;
  return parser_->open;
}

std::optional<JsonField> JsonReader::at(const std::string& pointer) const {
  simdjson::dom::element found;
  if (!parser_->open || parser_->root.at_pointer(pointer).get(found) != simdjson::SUCCESS) return std::nullopt;
  JsonField field;
  switch (found.type()) {
    case simdjson::dom::element_type::STRING:
      field.kind = JsonField::Kind::text;
      field.text = std::string(std::string_view(found));
      return field;
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64:
    case simdjson::dom::element_type::DOUBLE:
      field.kind = JsonField::Kind::number;
      field.number = found.get_double().value();
      break;
    case simdjson::dom::element_type::BOOL:
      field.kind = JsonField::Kind::boolean;
      field.boolean = bool(found);
      break;
    case simdjson::dom::element_type::ARRAY:
      field.kind = JsonField::Kind::list;
      break;
    case simdjson::dom::element_type::OBJECT:
      field.kind = JsonField::Kind::map;
      break;
    case simdjson::dom::element_type::NULL_VALUE:
      break;
  }
  field.text = simdjson::minify(found);
  return field;
}

}  // namespace alerting
