// The only file that knows libpq. Rows go as INSERTs of several rows in one statement each, which is one transaction:
// COPY would be faster but knows no ON CONFLICT, and a redelivered event must not be a second row.
#include "database.hh"
#include "statements.hh"

#include <libpq-fe.h>
#include <sluice/cpp/guard.hh>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

namespace sql {
namespace {

constexpr std::size_t kParametersMax = 65535;  // of the protocol

struct Clear {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

std::string trimmed(const char* text) {
  std::string out(text == nullptr ? "" : text);
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

/// As the server reads it; the type is that of the column. PostgreSQL holds no NUL, so U+FFFD stands for it.
struct AsText {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(bool flag) const { return flag ? "t" : "f"; }
  std::string operator()(double number) const {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
  }
  std::string operator()(const std::string& text) const {
    if (text.find('\0') == std::string::npos) return text;
    std::string out;
    for (const char c : text) out += c == '\0' ? "\xef\xbf\xbd" : std::string(1, c);
    return out;
  }
};

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(std::string url, const Table& table) : url_(std::move(url)), table_(table) {
    char* why = nullptr;
    PQconninfoOption* options = PQconninfoParse(url_.c_str(), &why);
    const std::string text = trimmed(why);
    PQfreemem(why);
    if (options == nullptr) throw sluice::BadConfig("url: " + text);
    PQconninfoFree(options);
  }
  ~PostgresDatabase() override { close(); }

  void open() override {
    close();
    // What stands in the url comes later and wins.
    static constexpr const char* kNames[] = {"application_name", "connect_timeout", "tcp_user_timeout",
                                             "options",          "dbname",          nullptr};
    const char* values[] = {"sluice",     "5",    "10000", "-c statement_timeout=10000 -c client_min_messages=warning",
                            url_.c_str(), nullptr};
    connection_ = PQconnectdbParams(kNames, values, 1);
    if (PQstatus(connection_) != CONNECTION_OK) gone();
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
    if (table_.create) create();
    check_columns();
    check_insert();
  }

  void close() noexcept override {
    PQfinish(connection_);
    connection_ = nullptr;
  }

  std::uint64_t write(std::span<const Row> rows) override {
    const std::size_t per_statement = std::max<std::size_t>(1, kParametersMax / table_.columns.size());
    if (rows.size() > per_statement) run("BEGIN");
    std::uint64_t fresh = 0;
    for (std::size_t at = 0; at < rows.size(); at += per_statement) {
      fresh += insert(rows.subspan(at, std::min(per_statement, rows.size() - at)));
    }
    if (rows.size() > per_statement) run("COMMIT");
    return fresh;
  }

 private:
  [[noreturn]] void gone() {
    const std::string text = connection_ == nullptr ? "no memory" : trimmed(PQerrorMessage(connection_));
    close();
    throw Gone(text);
  }
  [[noreturn]] void unfit(const std::string& text) {
    close();
    throw Mismatch(text);  // the text is the caller's: nothing of the connection is in it
  }

  void run(const char* text) {
    const Result result(PQexec(connection_, text));
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) gone();
  }

  /// Two hosts that start together may both create: the loser's error is the winner's table.
  void create() {
    const Result result(PQexec(connection_, create_statements(table_, Dialect::postgres).c_str()));
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
    if (PQstatus(connection_) != CONNECTION_OK) gone();
    const std::string text = trimmed(PQresultErrorMessage(result.get()));
    check_columns();
    if (state_of(result.get()).starts_with("42")) unfit("table '" + table_.name + "' cannot be created: " + text);
  }

  void check_columns() {
    const std::string name = quoted_name(table_.name);
    const char* values[] = {name.c_str()};
    const Result result(PQexecParams(connection_,
                                     "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 "
                                     "AND NOT attisdropped",
                                     1, nullptr, values, nullptr, nullptr, 0));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) gone();
    std::vector<std::string> found;
    for (int i = 0; i < PQntuples(result.get()); ++i) found.emplace_back(PQgetvalue(result.get(), i, 0));
    const std::string why = mismatch(table_, Dialect::postgres, found);
    if (!why.empty()) unfit(why);
  }

  /// Lets the server judge the statement: types, rights, and, when it plans, the index that ON CONFLICT needs.
  void check_insert() {
    const std::string text = "EXPLAIN " + insert_statement(table_, Dialect::postgres, 1);
    const std::vector<const char*> nulls(table_.columns.size(), nullptr);
    const Result result(PQexecParams(connection_, text.c_str(), static_cast<int>(nulls.size()), nullptr, nulls.data(),
                                     nullptr, nullptr, 0));
    if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) return;
    if (PQstatus(connection_) != CONNECTION_OK) gone();
    if (state_of(result.get()) == "42P10") unfit(no_unique_index(table_));
    if (!state_of(result.get()).starts_with("42")) gone();
    unfit("table '" + table_.name + "': " + trimmed(PQresultErrorMessage(result.get())));
  }

  static std::string state_of(const PGresult* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state == nullptr ? "" : state;
  }

  std::uint64_t insert(std::span<const Row> rows) {
    texts_.clear();
    texts_.reserve(rows.size() * table_.columns.size());
    values_.clear();
    for (const Row& row : rows) {
      for (const Value& value : row.values) {
        texts_.push_back(std::visit(AsText{}, value));
        values_.push_back(std::holds_alternative<std::monostate>(value) ? nullptr : texts_.back().c_str());
      }
    }
    if (rows.size() != statement_rows_) {
      statement_ = insert_statement(table_, Dialect::postgres, rows.size());
      statement_rows_ = rows.size();
    }
    const Result result(PQexecParams(connection_, statement_.c_str(), static_cast<int>(values_.size()), nullptr,
                                     values_.data(), nullptr, nullptr, 0));
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return std::strtoull(PQcmdTuples(result.get()), nullptr, 10);
    refuse(result.get());
  }

  /// Classes of SQLSTATE: 22 and 23 are about values, 42 about the table; the rest is the server's state.
  [[noreturn]] void refuse(const PGresult* result) {
    const std::string state = state_of(result), text = trimmed(PQresultErrorMessage(result));
    if (PQstatus(connection_) == CONNECTION_OK) {
      if (PQtransactionStatus(connection_) != PQTRANS_IDLE) run("ROLLBACK");
      if (state.starts_with("22") || state.starts_with("23")) throw Refused(text);
      if (state.starts_with("42")) unfit("table '" + table_.name + "': " + text);
    }
    close();
    throw Gone(text);
  }

  const std::string url_;
  const Table& table_;
  PGconn* connection_ = nullptr;
  std::string statement_;
  std::size_t statement_rows_ = 0;
  std::vector<std::string> texts_;
  std::vector<const char*> values_;
};

}  // namespace

std::unique_ptr<Database> make_postgres(std::string url, const Table& table) {
  return std::make_unique<PostgresDatabase>(std::move(url), table);
}

}  // namespace sql
