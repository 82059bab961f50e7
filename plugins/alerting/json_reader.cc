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

namespace {

JsonGlance glance_of(simdjson::dom::element found) {
  JsonGlance glance;
  switch (found.type()) {
    case simdjson::dom::element_type::STRING:
      glance.kind = JsonField::Kind::text;
      glance.text = std::string_view(found);
      break;
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64:
    case simdjson::dom::element_type::DOUBLE:
      glance.kind = JsonField::Kind::number;
      glance.number = found.get_double().value();
      break;
    case simdjson::dom::element_type::BOOL:
      glance.kind = JsonField::Kind::boolean;
      glance.boolean = bool(found);
      break;
    case simdjson::dom::element_type::ARRAY:
      glance.kind = JsonField::Kind::list;
      break;
    case simdjson::dom::element_type::OBJECT:
      glance.kind = JsonField::Kind::map;
      break;
    case simdjson::dom::element_type::NULL_VALUE:
      break;
  }
  return glance;
}

}  // namespace

JsonReader::JsonReader() : parser_(std::make_unique<Parser>()) {}
JsonReader::~JsonReader() = default;

bool JsonReader::open(std::string_view json, bool padded) {
  ++opened_;
  parser_->open = parser_->dom.parse(json.data(), json.size(), !padded).get(parser_->root) == simdjson::SUCCESS;
  return parser_->open;
}

std::uint32_t JsonReader::place_of(const std::string& pointer) {
  for (std::uint32_t place = 0; place < places_.size(); ++place) {
    if (places_[place].pointer == pointer) return place;
  }
  places_.push_back({pointer, 0, {}});
  return static_cast<std::uint32_t>(places_.size() - 1);
}

const JsonGlance* JsonReader::glance(std::uint32_t place) {
  Place& one = places_[place];
  if (one.opened != opened_) {
    one.opened = opened_;
    one.found.reset();
    simdjson::dom::element found;
    if (parser_->open && parser_->root.at_pointer(one.pointer).get(found) == simdjson::SUCCESS) {
      one.found = glance_of(found);
    }
  }
  return one.found ? &*one.found : nullptr;
}

std::optional<JsonField> JsonReader::at(const std::string& pointer) const {
  simdjson::dom::element found;
  if (!parser_->open || parser_->root.at_pointer(pointer).get(found) != simdjson::SUCCESS) return std::nullopt;
  const JsonGlance glance = glance_of(found);
  JsonField field{glance.kind, glance.boolean, glance.number, std::string(glance.text)};
  if (field.kind != JsonField::Kind::text) field.text = simdjson::minify(found);
  return field;
}

}  // namespace alerting
