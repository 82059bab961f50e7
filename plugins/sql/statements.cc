#include "statements.hh"

#include <algorithm>

namespace sql {
namespace {

std::string type_name(Type type, Dialect dialect) {
  const bool sqlite = dialect == Dialect::sqlite;
  switch (type) {
    case Type::integer:
      return sqlite ? "INTEGER" : "BIGINT";
    case Type::real:
      return sqlite ? "REAL" : "DOUBLE PRECISION";
    case Type::boolean:
      return "BOOLEAN";
    case Type::timestamp:
      return sqlite ? "TEXT" : "TIMESTAMPTZ";
    case Type::json:
      return sqlite ? "TEXT" : "JSONB";
    case Type::text:
      break;
  }
  return "TEXT";
}

/// "a, b, c" of what make(i) gives.
template <class Make>
std::string joined(std::size_t count, Make make) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ", ") + make(i);
  return out;
}

std::string key_columns(const Table& table) {
  const std::size_t count = table.columns.size();
  return quoted_name(table.columns[count - 2].name) + ", " + quoted_name(table.columns[count - 1].name);
}

std::string index_statement(const Table& table) {
  std::string name = table.name + "_event";
  std::replace(name.begin(), name.end(), '.', '_');
  return "CREATE UNIQUE INDEX IF NOT EXISTS " + quoted_name(name) + " ON " + quoted_name(table.name) + " (" +
         key_columns(table) + ");";
}

}  // namespace

std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '.' ? "\".\"" : c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

std::string create_statements(const Table& table, Dialect dialect) {
  std::string text = "CREATE TABLE IF NOT EXISTS " + quoted_name(table.name) + " (";
  text += joined(table.columns.size(), [&](std::size_t i) {
    const Column& column = table.columns[i];
    return quoted_name(column.name) + " " + type_name(column.type, dialect) + (column.required ? " NOT NULL" : "");
  });
  text += ");";
  return table.keyed ? text + " " + index_statement(table) : text;
}

std::string insert_statement(const Table& table, Dialect dialect, std::size_t rows) {
  const std::size_t width = table.columns.size();
  std::string text = "INSERT INTO " + quoted_name(table.name) + " (" +
                     joined(width, [&](std::size_t i) { return quoted_name(table.columns[i].name); }) + ") VALUES ";
  text += joined(rows, [&](std::size_t row) {
    return "(" +
           joined(width,
                  [&](std::size_t i) {
                    return (dialect == Dialect::sqlite ? "?" : "$") + std::to_string(row * width + i + 1);
                  }) +
           ")";
  });
  return table.keyed ? text + " ON CONFLICT (" + key_columns(table) + ") DO NOTHING" : text;
}

std::string mismatch(const Table& table, Dialect dialect, const std::vector<std::string>& found) {
  if (found.empty()) {
    return "there is no table '" + table.name +
           "'. Set create_table: true, or create it: " + create_statements(table, dialect);
  }
  for (const Column& column : table.columns) {
    if (std::find(found.begin(), found.end(), column.name) != found.end()) continue;
    std::string text = "table '" + table.name + "' has no column '" + column.name + "'. Add it: ALTER TABLE " +
                       quoted_name(table.name) + " ADD COLUMN " + quoted_name(column.name) + " " +
                       type_name(column.type, dialect) + ";";
    const bool of_key = table.keyed && &column >= &table.columns[table.columns.size() - 2];
    return text + (of_key ? " Or set idempotent: false (a redelivered event is a second row then)"
                          : " Or take it out of columns");
  }
  return {};
}

std::string no_unique_index(const Table& table) {
  return "table '" + table.name + "' has no unique index on its key. Add it: " + index_statement(table) +
         " Or set idempotent: false (a redelivered event is a second row then)";
}

}  // namespace sql
