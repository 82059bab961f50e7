#include "row_reader.hh"

#include <sluice/event.h>

#include <simdjson.h>
#include <utility>

namespace sql {
namespace {

static_assert(SLUICE_PADDING >= simdjson::SIMDJSON_PADDING, "the host's padding is enough for the parser");

std::optional<std::string_view> attribute(sluice::EventView event, const std::string& name) {
  const auto filled = [](std::string_view text) { return text.empty() ? std::nullopt : std::optional(text); };
  if (name == "id") return filled(event.id());
  if (name == "source") return filled(event.source());
  if (name == "type") return filled(event.type());
  if (name == "time") return filled(event.time());
  if (name == "subject") return filled(event.subject());
  if (name == "dataschema") return filled(event.dataschema());
  if (name == "datacontenttype") return filled(event.datacontenttype());
  return event.extension(name);
}

Value attribute_value(const Column& column, std::string_view text) {
  if (column.type == Type::text || column.type == Type::timestamp) return std::string(text);
  try {
    return value_of(column.type, std::string(text));
  } catch (const std::exception&) {
    return {};
  }
}

template <class To, class From>
Value taken(simdjson::simdjson_result<From> result) {
  From value;
  return std::move(result).get(value) == simdjson::SUCCESS ? Value(To(value)) : Value();
}

Value data_value(Type type, simdjson::ondemand::value value) {
  bool is_null = false;
  if (value.is_null().get(is_null) != simdjson::SUCCESS || is_null) return {};
  switch (type) {
    case Type::integer:
      return taken<std::int64_t>(value.get_int64());
    case Type::real:
      return taken<double>(value.get_double());
    case Type::boolean:
      return taken<bool>(value.get_bool());
    case Type::timestamp:
      return taken<std::string>(value.get_string());
    case Type::json:
      return taken<std::string>(simdjson::to_json_string(value));
    case Type::text:
      break;
  }
  simdjson::ondemand::json_type kind{};
  if (value.type().get(kind) != simdjson::SUCCESS) return {};
  if (kind == simdjson::ondemand::json_type::string) return taken<std::string>(value.get_string());
  return taken<std::string>(simdjson::to_json_string(value));
}

}  // namespace

struct RowReader::Parser {
  simdjson::ondemand::parser parser;
};

RowReader::RowReader(const Table& table) : table_(table), parser_(std::make_unique<Parser>()) {}
RowReader::~RowReader() = default;

std::optional<Row> RowReader::read(sluice::EventView event) {
  simdjson::ondemand::document document;
  const std::string_view data = event.data();
  bool parsed = event.has_data() && !event.data_is_bytes() && !data.empty();
  if (parsed) {
    const simdjson::padded_string_view padded(data.data(), data.size(), data.size() + SLUICE_PADDING);
    parsed = parser_->parser.iterate(padded).get(document) == simdjson::SUCCESS;
  }
  Row row;
  row.values.reserve(table_.columns.size());
  for (const Column& column : table_.columns) {
    Value value;
    simdjson::ondemand::value found;
    if (!column.is_pointer()) {
      if (const auto text = attribute(event, column.from)) value = attribute_value(column, *text);
    } else if (parsed && document.at_pointer(column.from).get(found) == simdjson::SUCCESS) {
      value = data_value(column.type, found);
    }
    if (std::holds_alternative<std::monostate>(value)) {
      if (column.required) return std::nullopt;
      value = column.otherwise;
    }
    row.values.push_back(std::move(value));
  }
  return row;
}

}  // namespace sql
