// The host's door to SQLite: what is committed is there for the next who opens the file, what is not is undone.
#include "edge/sqlite.hh"

#include "catch.hh"

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

using namespace sluice;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-sqlite-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const char* name) const { return (path / name).string(); }
};

std::int64_t count_rows(Sqlite& database) {
  Statement statement = database.prepare("SELECT count(*) FROM t");
  REQUIRE(statement.step());
  return statement.number(0);
}

}  // namespace

TEST_CASE("sqlite: what is committed is there for the next who opens the file") {
  const Folder folder;
  {
    Sqlite database(folder.file("a.db"));
    database.run("CREATE TABLE t (a INTEGER, b TEXT, c BLOB)");
    database.set_version(7);
    Sqlite::Transaction transaction(database);
    Statement insert = database.prepare("INSERT INTO t VALUES (?, ?, ?)");
    insert.bind(1, 42).bind(2, std::string_view("x\0y", 3)).bind_bytes(3, "").run();
    insert.bind(1, -1).bind(2, std::string_view()).bind_null(3).run();
    CHECK(database.changes() == 1);
    transaction.commit();
  }
  Sqlite database(folder.file("a.db"), Sqlite::Mode::read_only);
  CHECK(database.version() == 7);
  Statement select = database.prepare("SELECT a, b, c FROM t ORDER BY a DESC");
  REQUIRE(select.step());
  CHECK(select.number(0) == 42);
  CHECK(select.text(1) == std::string_view("x\0y", 3));
  CHECK_FALSE(select.is_null(2));
  REQUIRE(select.step());
  CHECK(select.number(0) == -1);
  CHECK_FALSE(select.is_null(1));
  CHECK(select.is_null(2));
  CHECK_FALSE(select.step());
}

TEST_CASE("sqlite: a transaction that is not committed leaves nothing") {
  const Folder folder;
  Sqlite database(folder.file("a.db"));
  database.run("CREATE TABLE t (a INTEGER)");
  {
    const Sqlite::Transaction transaction(database);
    database.run("INSERT INTO t VALUES (1)");
  }
  CHECK(count_rows(database) == 0);
}

TEST_CASE("sqlite: a second writer is told that the file is busy and may come again") {
  const Folder folder;
  Sqlite one(folder.file("a.db"));
  one.run("CREATE TABLE t (a INTEGER)");
  Sqlite two(folder.file("a.db"), Sqlite::Mode::existing, std::chrono::milliseconds(1));
  {
    Sqlite::Transaction transaction(one);
    one.run("INSERT INTO t VALUES (1)");
    CHECK(count_rows(two) == 0);  // readers do not wait
    try {
      const Sqlite::Transaction other(two);
      FAIL("two writers at once");
    } catch (const StoreError& error) {
      CHECK(error.busy());
      CHECK(std::string(error.what()).find("a.db") != std::string::npos);
    }
    transaction.commit();
  }
  Sqlite::Transaction transaction(two);
  two.run("INSERT INTO t VALUES (2)");
  transaction.commit();
  CHECK(count_rows(one) == 2);
}

TEST_CASE("sqlite: files that are none, or are not there, are refused by name") {
  const Folder folder;
  std::ofstream(folder.file("text")) << std::string(4096, 'x');
  const auto kind_of = [](const std::string& path, Sqlite::Mode mode) {
    try {
      const Sqlite database(path, mode);
    } catch (const StoreError& error) {
      CHECK(std::string(error.what()).find(path) == 0);
      return error.kind();
    }
    FAIL("opened " + path);
    return StoreError::Kind::other;
  };
  CHECK(kind_of(folder.file("text"), Sqlite::Mode::create) == StoreError::Kind::corrupt);
  CHECK(kind_of(folder.file("text"), Sqlite::Mode::read_only) == StoreError::Kind::corrupt);
  CHECK(kind_of(folder.file("none"), Sqlite::Mode::existing) == StoreError::Kind::unopened);
  CHECK(kind_of(folder.file("no/folder"), Sqlite::Mode::create) == StoreError::Kind::unopened);
}

TEST_CASE("sqlite: used bytes shrink when rows go, though the file does not") {
  const Folder folder;
  Sqlite database(folder.file("a.db"));
  database.run("CREATE TABLE t (a TEXT)");
  Statement insert = database.prepare("INSERT INTO t VALUES (?)");
  const std::string text(10'000, 'x');
  for (int i = 0; i < 20; ++i) insert.bind(1, text).run();
  const std::uint64_t full = database.used_bytes();
  CHECK(full > 200'000);
  database.run("DELETE FROM t");
  CHECK(database.used_bytes() < full / 4);
}
