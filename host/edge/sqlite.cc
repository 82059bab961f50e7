#include "edge/sqlite.hh"

#include <sqlite3.h>

#include <limits>

namespace sluice {
namespace {

StoreError::Kind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return StoreError::Kind::busy;
    case SQLITE_FULL:
      return StoreError::Kind::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StoreError::Kind::corrupt;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return StoreError::Kind::unopened;
    default:
      return StoreError::Kind::other;
  }
}

/// "file.db: database is locked"
[[noreturn]] void throw_error(sqlite3* database, const std::string& path, const std::string& what) {
  const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(database);
  const char* text = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
  std::string sentence = path + ": " + (what.empty() ? "" : what + ": ") + text;
  if (kind_of(code) == StoreError::Kind::busy) sentence += " (another process is writing to it)";
  throw StoreError(kind_of(code), sentence);
}

int length_of(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw StoreError(StoreError::Kind::other, "a value is longer than 2 GiB");
  }
  return static_cast<int>(text.size());
}

}  // namespace

// ---- statements ----

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

void Statement::check(int code) const {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  sqlite3* database = sqlite3_db_handle(statement_.get());
  const char* path = sqlite3_db_filename(database, "main");
  throw_error(database, path == nullptr ? "" : path, "");
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  check(sqlite3_bind_int64(statement_.get(), parameter, number));
  return *this;
}

// An empty view may have no address, which SQLite would take for NULL.

Statement& Statement::bind(int parameter, std::string_view text) {
  check(
      sqlite3_bind_text(statement_.get(), parameter, text.empty() ? "" : text.data(), length_of(text), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_bytes(int parameter, std::string_view bytes) {
  check(sqlite3_bind_blob(statement_.get(), parameter, bytes.empty() ? "" : bytes.data(), length_of(bytes),
                          SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  check(sqlite3_bind_null(statement_.get(), parameter));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    sqlite3_reset(statement_.get());  // the next bind would be refused otherwise; the error's text stays
    check(code);
  }
  return code == SQLITE_ROW;
}

void Statement::run() {
  struct ResetAtEnd {
    Statement& statement;
    ~ResetAtEnd() { statement.reset(); }
  } const at_end{*this};
  while (step()) {
  }
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t Statement::number(int column) const noexcept { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::text(int column) const noexcept {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);  // first the bytes, then their count
  const int length = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

bool Statement::is_null(int column) const noexcept {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

// ---- the file ----

void Sqlite::Close::operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }

Sqlite::Sqlite(std::string path, Mode mode, std::chrono::milliseconds busy_timeout) : path_(std::move(path)) {
  const int flags = mode == Mode::create     ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                    : mode == Mode::existing ? SQLITE_OPEN_READWRITE
                                             : SQLITE_OPEN_READONLY;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path_.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(opened);
  if (code != SQLITE_OK) fail("cannot be opened");
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, static_cast<int>(busy_timeout.count()));
  // The first that really reads the file: a file that is no database is refused here.
  if (mode == Mode::read_only) {
    (void)version();
  } else {
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
  }
}

void Sqlite::fail(const std::string& what) const { throw_error(database_.get(), path_, what); }

Statement Sqlite::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.data(), length_of(sql), &statement, nullptr) != SQLITE_OK) fail("");
  return Statement(statement);
}

void Sqlite::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("");
}

std::uint64_t Sqlite::changes() const noexcept { return static_cast<std::uint64_t>(sqlite3_changes(database_.get())); }

std::int64_t Sqlite::last_id() const noexcept { return sqlite3_last_insert_rowid(database_.get()); }

std::int64_t Sqlite::version() {
  Statement statement = prepare("PRAGMA user_version");
  return statement.step() ? statement.number(0) : 0;
}

void Sqlite::set_version(std::int64_t version) { run(("PRAGMA user_version=" + std::to_string(version)).c_str()); }

std::uint64_t Sqlite::used_bytes() {
  Statement statement = prepare(
      "SELECT (page_count - freelist_count) * page_size "
      "FROM pragma_page_count, pragma_freelist_count, pragma_page_size");
  return statement.step() ? static_cast<std::uint64_t>(statement.number(0)) : 0;
}

Sqlite::Transaction::~Transaction() {
  if (!open_) return;
  // A failed statement may have rolled back by itself; then there is nothing to undo.
  sqlite3_exec(database_.database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Sqlite::Transaction::commit() {
  database_.run("COMMIT");  // when it fails, the transaction is still open and is undone
  open_ = false;
}

}  // namespace sluice
