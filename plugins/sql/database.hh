// A database as the observer sees it: it is opened, it takes rows, it goes away. One thread at a time.
#pragma once

#include "columns.hh"

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

namespace sql {

/// The database cannot be reached or written now; says nothing about any row.
struct Gone : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The table is not as configured: the text names the column and the cure.
struct Mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The database refuses a value of these rows; nothing of them was written.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Database {
 public:
  virtual ~Database() = default;
  /// Connects, creates the table when asked to, and checks it. Throws Gone or Mismatch.
  virtual void open() = 0;
  virtual void close() noexcept = 0;
  /// All rows or none, on the disk when it returns. How many were new. Throws Gone, Mismatch or Refused; after Gone
  /// it must be opened again, and the same rows may be written again.
  virtual std::uint64_t write(std::span<const Row> rows) = 0;
};

[[nodiscard]] std::unique_ptr<Database> make_sqlite(std::string path, const Table& table);
#ifdef SLUICE_POSTGRES
/// Throws BadConfig when the address cannot be read.
[[nodiscard]] std::unique_ptr<Database> make_postgres(std::string url, const Table& table);
#endif

}  // namespace sql
