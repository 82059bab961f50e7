// A spool's bytes: checksums, records, the walk over a segment, the cursor.
#include "catch.hh"

#include "core/crc32c.hh"
#include "core/spool_cursor.hh"
#include "core/spool_format.hh"

#include <algorithm>
#include <cstring>
#include <random>
#include <set>

using namespace sluice;

namespace {

std::string json_of(std::uint64_t number) {
  return "{\"n\":" + std::to_string(number) + ",\"pad\":\"" + std::string(number % 37, 'x') + "\"}";
}

/// Where each record begins, and the end.
std::vector<std::size_t> segment_of(std::uint64_t first, std::uint64_t count, std::string& out) {
  std::vector<std::size_t> places;
  append_segment_header(out, first, 1000);
  for (std::uint64_t i = 0; i < count; ++i) {
    places.push_back(out.size());
    const std::string json = json_of(first + i);
    append_record(out, {first + i, 2000 + static_cast<std::int64_t>(i), 0, json, 0});
  }
  places.push_back(out.size());
  return places;
}

struct Walk {
  std::vector<std::uint64_t> records;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> damage;
  bool wrong_json = false;
};

Walk walk(const std::string& bytes, std::uint64_t first = 1) {
  SegmentReader reader(
      [&](std::uint64_t offset, char* into, std::size_t size) -> std::int64_t {
        if (offset >= bytes.size()) return 0;
        const std::size_t got = std::min(size, bytes.size() - static_cast<std::size_t>(offset));
        std::memcpy(into, bytes.data() + offset, got);
        return static_cast<std::int64_t>(got);
      },
      kSegmentHeaderBytes, bytes.size(), first);
  Walk seen;
  SpoolRecord record;
  for (int calls = 0; calls < 100'000; ++calls) {
    const auto found = reader.next(record);
    if (found == SegmentReader::Found::end) return seen;
    REQUIRE(found != SegmentReader::Found::failed);
    if (found == SegmentReader::Found::damage) {
      seen.damage.emplace_back(reader.damage_from(), reader.damage_to());
    } else {
      seen.records.push_back(record.number);
      seen.wrong_json = seen.wrong_json || record.json != json_of(record.number);
    }
  }
  FAIL("the walk does not end");
  return seen;
}

}  // namespace

TEST_CASE("crc32c: the check value of the standard, and table and instruction agree", "[core][spool]") {
  CHECK(crc32c("123456789") == 0xE3069283u);
  CHECK(crc32c_by_table("123456789") == 0xE3069283u);
  std::mt19937_64 random(7);
  std::string bytes(3000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string_view part = std::string_view(bytes).substr(size, size * 13);
    CHECK(crc32c(part) == crc32c_by_table(part));
    CHECK(crc32c(part.substr(part.size() / 2), crc32c(part.substr(0, part.size() / 2))) == crc32c(part));
  }
}

TEST_CASE("spool format: what is written is read, in order", "[core][spool]") {
  std::string bytes;
  segment_of(41, 5000, bytes);
  SegmentHeader header;
  REQUIRE(read_segment_header(bytes, header));
  CHECK((header.first == 41 && header.version == kSpoolVersion && header.begun_unix_ns == 1000));
  const Walk seen = walk(bytes, 41);
  CHECK(seen.records.size() == 5000);
  CHECK(std::ranges::is_sorted(seen.records));
  CHECK(seen.damage.empty());
  CHECK_FALSE(seen.wrong_json);
}

TEST_CASE("spool format: a tail torn at any byte of the last record leaves all before it", "[core][spool]") {
  std::string bytes;
  const auto places = segment_of(1, 10, bytes);
  for (std::size_t end = places[9]; end < places[10]; ++end) {
    const Walk seen = walk(bytes.substr(0, end));
    CHECK(seen.records.size() == 9);
    CHECK(seen.damage.size() == (end == places[9] ? 0 : 1));
  }
}

TEST_CASE("spool format: a flipped bit anywhere costs one record, and it is seen", "[core][spool]") {
  std::string bytes;
  const auto places = segment_of(1, 6, bytes);
  for (std::size_t at = kSegmentHeaderBytes; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; bit += 3) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const Walk seen = walk(flipped);
      INFO("byte " << at << " bit " << bit);
      REQUIRE(seen.records.size() == 5);
      REQUIRE(seen.damage.size() == 1);
      REQUIRE_FALSE(seen.wrong_json);
      const auto hit = std::ranges::upper_bound(places, at) - places.begin() - 1;
      REQUIRE(seen.damage[0].first == places[static_cast<std::size_t>(hit)]);
      REQUIRE(seen.damage[0].second == places[static_cast<std::size_t>(hit) + 1]);
    }
  }
}

TEST_CASE("spool format: whatever the bytes are, the walk ends and believes only whole records", "[core][spool]") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    segment_of(1, 30, bytes);
    for (int hits = 0; hits < 1 + round % 20; ++hits) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 40);
          break;
        default:
          bytes.insert(at, std::string(random() % 40, static_cast<char>(random())));
      }
    }
    const Walk seen = walk(bytes);
    CHECK_FALSE(seen.wrong_json);
    CHECK(std::ranges::is_sorted(seen.records));
  }
}

TEST_CASE("spool format: a damaged segment header is no header", "[core][spool]") {
  std::string bytes;
  append_segment_header(bytes, 99, 5);
  SegmentHeader header;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    CHECK_FALSE(read_segment_header(flipped, header));
    CHECK_FALSE(read_segment_header(bytes.substr(0, at), header));
  }
}

TEST_CASE("spool format: segment names sort as their numbers do, and nothing else is one", "[core][spool]") {
  CHECK(segment_name(42) == "00000000000000000042.seg");
  CHECK(segment_name(9) < segment_name(10));
  std::uint64_t first = 0;
  CHECK(read_segment_name(segment_name(~std::uint64_t{0}), first));
  CHECK(first == ~std::uint64_t{0});
  for (const char* name : {"42.seg", "0000000000000000004x.seg", "00000000000000000042.seg.corrupt", "cursor"}) {
    CHECK_FALSE(read_segment_name(name, first));
  }
}

TEST_CASE("spool cursor: any order of completion leads to the same place", "[core][spool]") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    SpoolCursor cursor(10);
    std::set<std::uint64_t> model;  // completed
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t from = 5 + random() % 120, to = from + random() % 8;
      cursor.complete(from, to);
      for (std::uint64_t n = from; n < to; ++n) model.insert(n);
      std::uint64_t low = 10;
      while (model.contains(low)) ++low;
      REQUIRE(cursor.low() == low);
      std::uint64_t open = 0;
      for (std::uint64_t n = 10; n < 140; ++n) {
        REQUIRE(cursor.is_completed(n) == model.contains(n));
        open += model.contains(n) ? 0 : 1;
      }
      REQUIRE(cursor.open_below(140) == open);
      REQUIRE(cursor.open_in(10, 140) == open);
      for (std::size_t k = 1; k < cursor.above().size(); ++k)
        REQUIRE(cursor.above()[k - 1].to < cursor.above()[k].from);
      SpoolCursor read;
      REQUIRE(SpoolCursor::decode(cursor.encode(), read));
      REQUIRE(read.encode() == cursor.encode());
      REQUIRE(read.open_below(140) == open);
    }
  }
}

TEST_CASE("spool cursor: bytes that are not whole are refused", "[core][spool]") {
  SpoolCursor cursor(1'000'000);
  cursor.complete(1'000'010, 1'000'020);
  cursor.complete(1'000'030, 9'000'000);
  const std::string bytes = cursor.encode();
  SpoolCursor read;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    CHECK_FALSE(SpoolCursor::decode(bytes.substr(0, at), read));
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    CHECK_FALSE(SpoolCursor::decode(flipped, read));
  }
}
