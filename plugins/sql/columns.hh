// What a table is asked to hold: its columns and where their values stand in an event.
#pragma once

#include <sluice/cpp/config_view.hh>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sql {

enum class Type : std::uint8_t { text, integer, real, boolean, timestamp, json };

/// Nothing is NULL. A timestamp is its text (RFC 3339), as json is.
using Value = std::variant<std::monostate, std::int64_t, double, bool, std::string>;

/// The value for a text of the configuration; throws BadConfig when it is none of that type.
[[nodiscard]] Value value_of(Type type, const std::string& text);

struct Column {
  std::string name;
  std::string from;  // an attribute (time, id, subject, an extension), or a JSON pointer into data
  Type type = Type::text;
  bool required = false;  // an event without it gives no row
  Value otherwise;        // what an event without it gives
  [[nodiscard]] bool is_pointer() const noexcept { return from.starts_with('/'); }
};

struct Table {
  std::string name;
  std::vector<Column> columns;  // the key's are the last two, when there is a key
  bool keyed = true;
  bool create = false;
};

/// Throws BadConfig.
[[nodiscard]] Table table_from(const sluice::ConfigView& config);

struct Row {
  std::vector<Value> values;  // by column
  [[nodiscard]] std::size_t bytes() const noexcept;
};

}  // namespace sql
