// The SQL that is sent, and the words for a table that does not fit. Pure.
#pragma once

#include "columns.hh"

#include <string>
#include <vector>

namespace sql {

enum class Dialect : std::uint8_t { sqlite, postgres };

/// "name" for SQL; a dot separates schema and table.
[[nodiscard]] std::string quoted_name(const std::string& name);
/// CREATE TABLE IF NOT EXISTS, and the unique index of the key.
[[nodiscard]] std::string create_statements(const Table& table, Dialect dialect);
/// INSERT of `rows` rows; rows whose key is there already are left out.
[[nodiscard]] std::string insert_statement(const Table& table, Dialect dialect, std::size_t rows);
/// Why rows of `table` cannot be written into one with these columns (none: there is no table), with the cure; empty
/// when they can.
[[nodiscard]] std::string mismatch(const Table& table, Dialect dialect, const std::vector<std::string>& found);
/// The same for a table whose key has no unique index.
[[nodiscard]] std::string no_unique_index(const Table& table);

}  // namespace sql
