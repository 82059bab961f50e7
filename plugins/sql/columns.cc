#include "columns.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sql {
namespace {

Type type_of(const std::string& name) {
  static constexpr std::pair<const char*, Type> kTypes[] = {{"text", Type::text},           {"integer", Type::integer},
                                                            {"real", Type::real},           {"boolean", Type::boolean},
                                                            {"timestamp", Type::timestamp}, {"json", Type::json}};
  for (const auto& [known, type] : kTypes) {
    if (name == known) return type;
  }
  return Type::text;  // the schema lets no other name through
}

template <class Number>
Value number_of(const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw sluice::BadConfig("default '" + text + "' is no number of that type");
  }
  return number;
}

Column column_from(const sluice::ConfigView& config, const std::string& at) {
  Column column;
  column.name = config.text(at + "name");
  column.from = config.text(at + "from");
  column.type = config.has(at + "type") ? type_of(config.text(at + "type")) : Type::text;
  column.required = config.boolean(at + "required");
  if (!config.has(at + "default")) return column;
  if (column.required)
    throw sluice::BadConfig("columns: '" + column.name + "' is required, so its default is never used");
  try {
    column.otherwise = value_of(column.type, config.text(at + "default"));
  } catch (const sluice::BadConfig& error) {
    throw sluice::BadConfig("columns: '" + column.name + "': " + error.what());
  }
  return column;
}

}  // namespace

Value value_of(Type type, const std::string& text) {
  if (type == Type::integer) return number_of<std::int64_t>(text);
  if (type == Type::real) return number_of<double>(text);
  if (type != Type::boolean) return text;
  if (text != "true" && text != "false") throw sluice::BadConfig("default '" + text + "' is neither true nor false");
  return text == "true";
}

Table table_from(const sluice::ConfigView& config) {
  Table table;
  table.name = config.text("table");
  table.create = config.boolean("create_table");
  table.keyed = config.boolean("idempotent");
  for (std::uint32_t i = 0; i < config.count("columns"); ++i) {
    table.columns.push_back(column_from(config, "columns/" + std::to_string(i) + "/"));
  }
  if (table.keyed) {
    table.columns.push_back({config.text("source_column"), "source", Type::text, true, {}});
    table.columns.push_back({config.text("id_column"), "id", Type::text, true, {}});
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (table.columns[i].name == table.columns[j].name) {
        throw sluice::BadConfig("columns: two of them are named '" + table.columns[i].name + "'" +
                                (table.keyed ? " (source_column and id_column count)" : ""));
      }
    }
  }
  return table;
}

std::size_t Row::bytes() const noexcept {
  std::size_t all = sizeof(Row) + values.size() * sizeof(Value);
  for (const Value& value : values) {
    if (const auto* text = std::get_if<std::string>(&value)) all += text->size();
  }
  return all;
}

}  // namespace sql
