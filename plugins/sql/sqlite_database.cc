// The only file that knows SQLite. WAL, so that somebody may read while rows are written; synchronous FULL, so that
// what was committed survives a power cut.
#include "database.hh"
#include "statements.hh"

#include <sqlite3.h>

#include <filesystem>
#include <vector>

namespace sql {
namespace {

constexpr int kBusyMs = 2000;  // how long another writer is waited for

template <class... Cases>
struct Visit : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Visit(Cases...) -> Visit<Cases...>;

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(std::string path, const Table& table) : path_(std::move(path)), table_(table) {}
  ~SqliteDatabase() override { close(); }

  void open() override {
    close();
    std::error_code ignored;  // opening says it better
    const auto folder = std::filesystem::path(path_).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path_.c_str(), &database_, kFlags, nullptr) != SQLITE_OK) gone("cannot be opened");
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, kBusyMs);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    if (table_.create) {
      const std::string create = create_statements(table_, Dialect::sqlite);
      if (sqlite3_exec(database_, create.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        if (!is_of_the_table()) gone("");
        check_columns();  // an index on a column that is not there
        fail_open(path_ + ": " + sqlite3_errmsg(database_));
      }
    }
    check_columns();
    const std::string insert = insert_statement(table_, Dialect::sqlite, 1);
    if (sqlite3_prepare_v2(database_, insert.c_str(), -1, &insert_, nullptr) == SQLITE_OK) return;
    if (!is_of_the_table()) gone("");
    fail_open(path_ + ": " + (table_.keyed ? no_unique_index(table_) : sqlite3_errmsg(database_)));
  }

  void close() noexcept override {
    sqlite3_finalize(insert_);
    sqlite3_close_v2(database_);
    insert_ = nullptr;
    database_ = nullptr;
  }

  std::uint64_t write(std::span<const Row> rows) override {
    run("BEGIN IMMEDIATE");
    std::uint64_t fresh = 0;
    for (const Row& row : rows) {
      bind(row);
      const int code = sqlite3_step(insert_);
      const std::string text = sqlite3_errmsg(database_);
      sqlite3_reset(insert_);
      if (code != SQLITE_DONE) undo(code, text);
      fresh += static_cast<std::uint64_t>(sqlite3_changes(database_));
    }
    if (sqlite3_exec(database_, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) {
      const std::string text = path_ + ": " + sqlite3_errmsg(database_);
      close();
      throw Gone(text);
    }
    return fresh;
  }

 private:
  [[noreturn]] void gone(const std::string& what) {
    const std::string text = path_ + ": " + (what.empty() ? "" : what + ": ") +
                             (database_ == nullptr ? "no memory" : sqlite3_errmsg(database_));
    close();
    throw Gone(text);
  }
  [[noreturn]] void fail_open(const std::string& text) {
    close();
    throw Mismatch(text);  // the text is the caller's: nothing of the connection is in it
  }
  /// SQLITE_ERROR is what it says about SQL and tables; a lock, a full disk, a file that cannot be read are others.
  [[nodiscard]] bool is_of_the_table() const { return (sqlite3_extended_errcode(database_) & 0xff) == SQLITE_ERROR; }

  void run(const char* text) {
    if (sqlite3_exec(database_, text, nullptr, nullptr, nullptr) != SQLITE_OK) gone("");
  }

  [[noreturn]] void undo(int code, const std::string& text) {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    const int kind = code & 0xff;
    if (kind == SQLITE_CONSTRAINT || kind == SQLITE_MISMATCH || kind == SQLITE_TOOBIG) throw Refused(text);
    close();
    if (kind == SQLITE_ERROR || kind == SQLITE_SCHEMA) throw Mismatch(path_ + ": " + text);
    throw Gone(path_ + ": " + text);
  }

  void check_columns() {
    sqlite3_stmt* list = nullptr;
    if (sqlite3_prepare_v2(database_, "SELECT name FROM pragma_table_info(?)", -1, &list, nullptr) != SQLITE_OK)
      gone("");
    sqlite3_bind_text(list, 1, table_.name.c_str(), -1, SQLITE_STATIC);
    std::vector<std::string> found;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
      found.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(list, 0)));
    }
    sqlite3_finalize(list);
    if (code != SQLITE_DONE) gone("");
    const std::string why = mismatch(table_, Dialect::sqlite, found);
    if (!why.empty()) fail_open(path_ + ": " + why);
  }

  void bind(const Row& row) {
    int at = 0;
    for (const Value& value : row.values) {
      ++at;
      std::visit(Visit{[&](std::monostate) { sqlite3_bind_null(insert_, at); },
                       [&](std::int64_t number) { sqlite3_bind_int64(insert_, at, number); },
                       [&](double number) { sqlite3_bind_double(insert_, at, number); },
                       [&](bool flag) { sqlite3_bind_int(insert_, at, flag ? 1 : 0); },
                       [&](const std::string& text) {
                         sqlite3_bind_text(insert_, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
                       }},
                 value);
    }
  }

  const std::string path_;
  const Table& table_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

}  // namespace

std::unique_ptr<Database> make_sqlite(std::string path, const Table& table) {
  return std::make_unique<SqliteDatabase>(std::move(path), table);
}

}  // namespace sql
