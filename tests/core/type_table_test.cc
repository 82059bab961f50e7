// Event types as numbers, and what happens when there are too many of them.
#include "core/type_table.hh"

#include "catch.hh"

#include <algorithm>
#include <set>
#include <string>
#include <thread>

using namespace sluice;

TEST_CASE("type table: a type keeps its id, and names are found under it") {
  TypeTable table;
  const std::uint16_t first = table.id_of("a");
  const std::uint16_t second = table.id_of("b");
  CHECK(first != second);
  CHECK(table.id_of("a") == first);
  CHECK(table.names().at(first) == "a");
  CHECK(table.names().at(second) == "b");
  CHECK(table.names().at(0) == "other");
}

TEST_CASE("type table: what comes after the last place is counted as other") {
  TypeTable table;
  TypeCache cache(table);
  for (std::uint32_t i = 1; i < limits::kTypes; ++i) {
    REQUIRE(cache.id_of("type." + std::to_string(i)) == i);
  }
  CHECK(cache.id_of("one.too.many") == 0);
  CHECK(table.id_of("one.too.many") == 0);
  CHECK(cache.id_of("type.1") == 1);
  CHECK(table.names().size() == limits::kTypes);
}

TEST_CASE("type table: a type that is called other is other, so that no name stands for two rows") {
  TypeTable table;
  CHECK(table.id_of("other") == 0);
  CHECK(table.id_of("a") == 1);
  const auto names = table.names();
  CHECK(std::ranges::count(names, "other") == 1);
}

TEST_CASE("type table: a type too long for a label is other and is not kept") {
  TypeTable table;
  TypeCache cache(table);
  const std::string fits(limits::kTypeNameBytes, 'x');
  const std::string too_long = fits + "x";
  CHECK(cache.id_of(too_long) == 0);
  CHECK(table.id_of(too_long) == 0);
  CHECK(cache.id_of(fits) == 1);
  CHECK(table.names().size() == 2);
}

TEST_CASE("type cache: types that share a slot do not share an id") {
  TypeTable table;
  TypeCache cache(table);
  std::set<std::uint16_t> ids;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 200; ++i) {
      const std::string type = "type." + std::to_string(i);
      const std::uint16_t id = cache.id_of(type);
      REQUIRE(id == table.id_of(type));
      ids.insert(id);
    }
  }
  CHECK(ids.size() == 200);
  CHECK(cache.id_of("") == table.id_of(""));
}

TEST_CASE("type table: caches of several lanes agree") {
  TypeTable table;
  std::vector<std::vector<std::uint16_t>> seen(4);
  std::vector<std::thread> lanes;
  for (auto& mine : seen) {
    lanes.emplace_back([&table, &mine] {
      TypeCache cache(table);
      for (int i = 0; i < 500; ++i) mine.push_back(cache.id_of("type." + std::to_string(i % 100)));
    });
  }
  for (std::thread& lane : lanes) lane.join();
  for (const auto& mine : seen) CHECK(mine == seen.front());
}

TEST_CASE("type id: it lives in the upper half of the flags and leaves the lower half alone") {
  sluice_event event{};
  event.flags = SLUICE_HAS_DATA | SLUICE_SYNTHETIC;
  set_type_id(event, 255);
  CHECK(type_id(event) == 255);
  CHECK((event.flags & 0xffff) == (SLUICE_HAS_DATA | SLUICE_SYNTHETIC));
  set_type_id(event, 1);
  CHECK(type_id(event) == 1);
}
