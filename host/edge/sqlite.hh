// A SQLite database file: the only door of the host to that library. What a program keeps here must survive kill -9, so
// a file is in WAL mode with synchronous FULL: when a transaction's commit returns, it is on the disk.
//
// One connection belongs to one thread at a time. Several processes may have the same file open: whoever writes waits
// for the other up to `busy_timeout`, then gets a StoreError with busy() true.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sluice {

class StoreError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t {
    busy,      // another process holds the lock
    full,      // no room on the disk
    corrupt,   // not a database, or a damaged one
    unopened,  // the file or its folder cannot be opened
    other
  };
  StoreError(Kind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool busy() const noexcept { return kind_ == Kind::busy; }

 private:
  Kind kind_;
};

/// A prepared statement. Parameters count from 1, columns from 0, as SQLite counts them.
class Statement {
 public:
  Statement() = default;

  Statement& bind(int parameter, std::int64_t number);
  Statement& bind(int parameter, std::string_view text);         // must outlive the next reset()
  Statement& bind_bytes(int parameter, std::string_view bytes);  // the same
  Statement& bind_null(int parameter);

  /// True while there is a row to read. Throws StoreError.
  [[nodiscard]] bool step();
  /// For statements without rows: runs it and makes it ready for the next time.
  void run();
  /// Ready for the next time; parameters are forgotten.
  void reset() noexcept;

  [[nodiscard]] std::int64_t number(int column) const noexcept;
  [[nodiscard]] std::string_view text(int column) const noexcept;  // or bytes; valid until the next step or reset
  [[nodiscard]] bool is_null(int column) const noexcept;

 private:
  friend class Sqlite;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void check(int code) const;

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Sqlite {
 public:
  enum class Mode : std::uint8_t {
    create,     // made when it is not there; folders are not
    existing,   // refused when it is not there
    read_only,  // the same, and nothing is written
  };

  /// Opens the file. Throws StoreError that names it.
  explicit Sqlite(std::string path, Mode mode = Mode::create,
                  std::chrono::milliseconds busy_timeout = std::chrono::milliseconds(5'000));

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] Statement prepare(std::string_view sql);
  /// One or several statements without parameters and rows.
  void run(const char* sql);
  /// Rows that the last statement inserted, changed or deleted.
  [[nodiscard]] std::uint64_t changes() const noexcept;
  [[nodiscard]] std::int64_t last_id() const noexcept;
  /// A number that the file's owner uses for the version of its tables; 0 in a new file.
  [[nodiscard]] std::int64_t version();
  void set_version(std::int64_t version);
  /// Of pages in use, without those that were freed and wait to be used again.
  [[nodiscard]] std::uint64_t used_bytes();

  /// All or nothing: without commit() everything since its beginning is undone. Takes the write lock at once, so that
  /// two writers wait for each other and never meet half-way.
  class Transaction {
   public:
    explicit Transaction(Sqlite& database) : database_(database) { database_.run("BEGIN IMMEDIATE"); }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    /// Returns when it is on the disk.
    void commit();

   private:
    Sqlite& database_;
    bool open_ = true;
  };

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace sluice
