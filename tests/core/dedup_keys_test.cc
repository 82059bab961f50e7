#include "core/dedup_keys.hh"

#include "catch.hh"
#include "core/uuid.hh"

#include <map>
#include <random>

using namespace sluice;

namespace {
KeyHash key(std::uint64_t n) { return {n * 0x9e3779b97f4a7c15u, n}; }
}  // namespace

TEST_CASE("key table: it holds what a map would hold, through any mix of adding and removing", "[core][dedup]") {
  std::mt19937_64 random(7);
  KeyTable table;
  std::map<std::uint64_t, std::uint32_t> model;
  for (int i = 0; i < 50'000; ++i) {
    // Keys that share their low bits stand in each other's way.
    const std::uint64_t n = random() % 300 * (random() % 2 == 0 ? 1 : 4096);
    if (random() % 3 == 0) {
      table.erase(key(n));
      model.erase(n);
    } else {
      table.set(key(n), static_cast<std::uint32_t>(i));
      model[n] = static_cast<std::uint32_t>(i);
    }
    REQUIRE(table.size() == model.size());
    const auto found = model.find(n);
    REQUIRE(table.find(key(n)) == (found == model.end() ? KeyTable::kNone : found->second));
  }
  for (const auto& [n, value] : model) REQUIRE(table.find(key(n)) == value);
}

TEST_CASE("known keys: bounded by time and count, oldest first, and what is recorded again starts anew",
          "[core][dedup]") {
  KnownKeys known(1000, 3);
  for (std::uint64_t n = 1; n <= 3; ++n) known.add(key(n), static_cast<std::int64_t>(n) * 100);
  CHECK(known.contains(key(1), 1099));
  CHECK_FALSE(known.contains(key(1), 1100));
  known.add(key(1), 400);  // the place of its first time is the oldest, and counts no more
  CHECK(known.contains(key(1), 1399));
  CHECK(known.evicted() == 0);
  known.add(key(4), 500);
  CHECK(known.evicted() == 1);
  CHECK_FALSE(known.contains(key(2), 500));
  known.expire(2000, 100);
  CHECK(known.size() == 0);
}

TEST_CASE("known keys: a hundred thousand through a window of a thousand", "[core][dedup]") {
  KnownKeys known(1'000'000, 1000);
  for (std::uint64_t n = 0; n < 100'000; ++n) known.add(key(n), 1);
  CHECK(known.size() == 1000);
  CHECK(known.contains(key(99'000), 1));
  CHECK_FALSE(known.contains(key(98'999), 1));
}

TEST_CASE("keys in flight: copies come out in the order in which they joined, and places are used again",
          "[core][dedup]") {
  KeysInFlight flights;
  std::vector<EventPlace> copies;
  for (int round = 0; round < 3; ++round) {
    flights.begin(key(1), {5, 0}, 2);
    flights.begin(key(2), {5, 1}, 2);
    for (std::uint32_t i = 0; i < 10; ++i) flights.join(key(1 + i % 2), {6, i});
    REQUIRE(flights.find(key(1)) != nullptr);
    CHECK(flights.find(key(1))->record == 2);
    flights.end(key(1), copies);
    REQUIRE(copies.size() == 5);
    for (std::uint32_t i = 0; i < 5; ++i) CHECK(copies[i].origin == 2 * i);
    CHECK(flights.find(key(1)) == nullptr);
    flights.end(key(2), copies);
    CHECK(flights.size() == 0);
  }
}

TEST_CASE("a key's hash tells apart where one text ends and the next begins", "[core][dedup]") {
  NameHash hash;
  CHECK(hash.key("ab", "c") == hash.key("ab", "c"));
  CHECK_FALSE(hash.key("ab", "c") == hash.key("a", "bc"));
  const auto text = KeyHash{0x0123456789abcdefu, 0xfedcba9876543210u}.text();
  CHECK(std::string(text.begin(), text.end()) == "0123456789abcdeffedcba9876543210");
}
