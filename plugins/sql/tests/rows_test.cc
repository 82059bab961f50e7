// Rows of events, their buffer, and the SQL for them: without a database.
#include "metrics_sql.hh"
#include "statements.hh"

#include "catch.hh"
#include "plugin_rig.hh"

#include <string>
#include <vector>

namespace {

using sql::Dialect;
using sql::Type;

sql::Table table() {
  sql::Table made{"t", {}, true, false};
  made.columns.push_back({"at", "time", Type::timestamp, true, {}});
  made.columns.push_back({"rate", "/m/rate", Type::real, false, 0.0});
  made.columns.push_back({"event_source", "source", Type::text, true, {}});
  made.columns.push_back({"event_id", "id", Type::text, true, {}});
  return made;
}

std::string event(const std::string& rest) {
  return R"({"specversion":"1.0","id":"1","source":"/s","type":"t")" + rest + "}";
}

std::optional<sql::Row> row_of(const sql::Table& table, const std::string& text) {
  sql::RowReader reader(table);
  const rig::Batch batch({text});
  return reader.read(sluice::BatchView(batch)[0]);
}

}  // namespace

TEST_CASE("rows: attributes and data by pointer; what is not there is the default, or no row when it is required") {
  const sql::Table t = table();
  const auto row = row_of(t, event(R"(,"time":"2025-10-10T12:00:00Z","data":{"m":{"rate":0.25}})"));
  REQUIRE(row);
  CHECK(std::get<std::string>(row->values[0]) == "2025-10-10T12:00:00Z");
  CHECK(std::get<double>(row->values[1]) == 0.25);
  CHECK(std::get<std::string>(row->values[3]) == "1");
  CHECK_FALSE(row_of(t, event(R"(,"data":{"m":{"rate":0.25}})")));  // no time
  const std::string timed = R"(,"time":"2025-10-10T12:00:00Z")";
  for (const char* data :
       {"", R"(,"data":{})", R"(,"data":{"m":{"rate":"high"}})", R"(,"data":{"m":{"rate":null}})", R"(,"data":[1])"}) {
    INFO(data);
    const auto other = row_of(t, event(timed + data));
    REQUIRE(other);
    CHECK(std::get<double>(other->values[1]) == 0.0);
  }
}

TEST_CASE("rows: every type takes its own values and no others") {
  sql::Table t{"t", {}, false, false};
  const std::pair<const char*, Type> columns[] = {{"/i", Type::integer},  {"/b", Type::boolean},  {"/j", Type::json},
                                                  {"/s", Type::text},     {"/j", Type::text},     {"/s", Type::integer},
                                                  {"ext", Type::integer}, {"subject", Type::text}};
  for (const auto& [from, type] : columns) t.columns.push_back({"c", from, type, false, {}});
  const auto row = row_of(t, event(R"(,"ext":"12","data":{"i":-3,"b":true,"j":{"a":[1]},"s":"x"})"));
  REQUIRE(row);
  CHECK(std::get<std::int64_t>(row->values[0]) == -3);
  CHECK(std::get<bool>(row->values[1]));
  CHECK(std::get<std::string>(row->values[2]) == R"({"a":[1]})");
  CHECK(std::get<std::string>(row->values[3]) == "x");
  CHECK(std::get<std::string>(row->values[4]) == R"({"a":[1]})");
  CHECK(std::holds_alternative<std::monostate>(row->values[5]));
  CHECK(std::get<std::int64_t>(row->values[6]) == 12);
  CHECK(std::holds_alternative<std::monostate>(row->values[7]));
}

TEST_CASE("rows: the buffer is bounded in rows and bytes and keeps their order") {
  sql::RowBuffer buffer(3, 1'000'000);
  const auto row = [](std::int64_t n) { return sql::Row{{n}}; };
  for (std::int64_t n = 0; n < 3; ++n) CHECK(buffer.put(row(n)));
  CHECK_FALSE(buffer.put(row(3)));
  buffer.drop(1);
  CHECK(buffer.put(row(4)));
  buffer.drop(1);
  REQUIRE(buffer.front(9).size() == 2);
  CHECK(std::get<std::int64_t>(buffer.front(9)[0].values[0]) == 2);
  CHECK(std::get<std::int64_t>(buffer.front(9)[1].values[0]) == 4);
  buffer.drop(2);
  CHECK(buffer.bytes() == 0);
  sql::RowBuffer small(100, 500);
  CHECK_FALSE(small.put(sql::Row{{std::string(600, 'x')}}));
}

TEST_CASE("rows: statements by dialect, and words for a table that does not fit") {
  const sql::Table t = table();
  CHECK(
      sql::create_statements(t, Dialect::postgres) ==
      "CREATE TABLE IF NOT EXISTS \"t\" (\"at\" TIMESTAMPTZ NOT NULL, \"rate\" DOUBLE PRECISION, \"event_source\" TEXT "
      "NOT NULL, \"event_id\" TEXT NOT NULL); CREATE UNIQUE INDEX IF NOT EXISTS \"t_event\" ON \"t\" "
      "(\"event_source\", "
      "\"event_id\");");
  CHECK(sql::insert_statement(t, Dialect::postgres, 2) ==
        "INSERT INTO \"t\" (\"at\", \"rate\", \"event_source\", \"event_id\") VALUES ($1, $2, $3, $4), ($5, $6, $7, "
        "$8) ON "
        "CONFLICT (\"event_source\", \"event_id\") DO NOTHING");
  CHECK(sql::mismatch(t, Dialect::sqlite, {"at", "rate", "event_source", "event_id", "more"}).empty());
  CHECK(
      sql::mismatch(t, Dialect::sqlite, {"at", "event_source", "event_id"}) ==
      "table 't' has no column 'rate'. Add it: ALTER TABLE \"t\" ADD COLUMN \"rate\" REAL; Or take it out of columns");
  CHECK(sql::quoted_name("a.b") == "\"a\".\"b\"");
}

TEST_CASE("metrics_sql: configurations that cannot work are refused with the column") {
  const sluice_class& of = rig::class_of(*sluice_module_v1(), "metrics_sql");
  const auto refused = [&](const std::string& url, const std::string& columns) {
    rig::Host host;
    try {
      rig::Node node(of, R"({"url":")" + url + R"(","table":"t","columns":)" + columns + "}", host);
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused("sqlite:", R"([{"name":"a","from":"id"}])") ==
        "url: sqlite: needs a file, such as sqlite:out/metrics.db");
  CHECK(refused("sqlite:x", R"([{"name":"a","from":"id"},{"name":"a","from":"type"}])")
            .find("two of them are named 'a'") != std::string::npos);
  CHECK(refused("sqlite:x", R"([{"name":"a","from":"/a","type":"real","default":"x"}])").find("'a': default 'x'") !=
        std::string::npos);
  CHECK(refused("sqlite:x", R"([{"name":"a","from":"/a","required":true,"default":"x"}])").find("never used") !=
        std::string::npos);
}
