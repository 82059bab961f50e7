// A spool as a row of records: appending, completing, crashing, taking over.
#include "catch.hh"
#include "memory_spool.hh"

#include "core/crc32c.hh"
#include "core/spool_log.hh"

#include <memory>
#include <numeric>

using namespace sluice;
using namespace sluice::test;

namespace {

std::string json_of(std::uint64_t number) {
  return "{\"n\":" + std::to_string(number) + ",\"pad\":\"" + std::string(40, 'x') + "\"}";
}

struct Spool {
  explicit Spool(MemoryDisk& disk, SpoolBounds bounds = {100'000, 1000}) : store(disk), log(store, bounds) {
    REQUIRE(log.open().ok());
  }
  SpoolAnswer add(int count) {
    for (int i = 0; i < count; ++i) log.add(500, 0, json_of(log.next() + static_cast<std::uint64_t>(i)));
    return log.write(500);
  }
  void put(int count) {
    REQUIRE(add(count).ok());
    REQUIRE(log.sync().ok());
  }
  std::vector<std::uint64_t> open_records() {
    std::vector<std::uint64_t> out;
    SpoolRecord record;
    for (std::uint64_t from = 0; log.read_open(from, record) == SpoolLog::Read::record; from = record.number + 1) {
      CHECK(record.json == json_of(record.number));
      out.push_back(record.number);
    }
    return out;
  }
  MemorySpool store;
  SpoolLog log;
};

std::vector<std::uint64_t> numbers(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> out(to - from);
  std::iota(out.begin(), out.end(), from);
  return out;
}

}  // namespace

TEST_CASE("spool log: only what is durable is read, in order, over several segments", "[core][spool]") {
  MemoryDisk disk;
  Spool spool(disk);
  spool.put(10);
  REQUIRE(spool.add(5).ok());
  CHECK(spool.open_records() == numbers(1, 11));
  REQUIRE(spool.log.sync().ok());
  for (int i = 0; i < 10; ++i) spool.put(10);
  CHECK(spool.open_records() == numbers(1, 116));
  CHECK(disk.segments.size() > 3);
}

TEST_CASE("spool log: a segment goes when all of its records are completed, the cursor first", "[core][spool]") {
  MemoryDisk disk;
  Spool spool(disk);
  for (int i = 0; i < 10; ++i) spool.put(12);
  const std::size_t before = disk.segments.size();
  const std::uint64_t second = std::next(disk.segments.begin())->first;
  spool.log.complete(2, second);
  REQUIRE(spool.log.tidy().ok());
  CHECK(disk.segments.size() == before);  // record 1 is open
  spool.log.complete(second, second + 60);
  REQUIRE(spool.log.tidy().ok());
  CHECK(disk.segments.size() < before);
  CHECK(disk.segments.contains(1));
  SpoolCursor kept;
  REQUIRE(SpoolCursor::decode(disk.durable_cursor, kept));
  CHECK(kept.low() == 1);
  std::vector<std::uint64_t> left = numbers(second + 60, 121);
  left.insert(left.begin(), 1);
  CHECK(spool.open_records() == left);
  CHECK(spool.log.bytes() == disk.bytes());
}

TEST_CASE("spool log: after a crash everything durable and uncompleted is there, nothing else", "[core][spool]") {
  MemoryDisk disk;
  {
    Spool spool(disk);
    spool.put(30);
    spool.log.complete(1, 4);
    spool.log.complete(7, 9);
    REQUIRE(spool.log.write_cursor(false).ok());
    REQUIRE(spool.add(5).ok());  // never synced
  }
  disk.crash([](std::size_t) { return 0; }, true);
  Spool again(disk);
  std::vector<std::uint64_t> left = numbers(9, 31);
  left.insert(left.begin(), {4, 5, 6});
  CHECK(again.open_records() == left);
  CHECK(again.log.take_damage().empty());
  CHECK(again.log.next() == 31);
}

TEST_CASE("spool log: a torn write is cut off, put aside and said once; its numbers are used again", "[core][spool]") {
  const std::string bytes_of_one = [] {
    std::string out;
    append_record(out, {1, 500, 0, json_of(31), 0});
    return out;
  }();
  for (std::size_t survives = 0; survives < bytes_of_one.size(); ++survives) {
    MemoryDisk disk;
    {
      Spool spool(disk, {1'000'000, 100'000});
      spool.put(30);
      REQUIRE(spool.add(1).ok());
    }
    disk.crash([&](std::size_t unsynced) { return std::min(unsynced, survives); }, true);
    Spool again(disk, {1'000'000, 100'000});
    CHECK(again.open_records() == numbers(1, 31));
    const auto damage = again.log.take_damage();
    CHECK(damage.size() == (survives > 0 ? 1 : 0));
    if (survives > 0) CHECK((damage[0].torn && disk.torn.at(1).size() == survives));
    again.put(1);
    CHECK(again.open_records() == numbers(1, 32));
    CHECK(again.log.take_damage().empty());
  }
}

TEST_CASE("spool log: a flipped bit costs its record; the segment is kept aside, not removed", "[core][spool]") {
  MemoryDisk disk;
  {
    Spool spool(disk);
    for (int i = 0; i < 5; ++i) spool.put(10);
  }
  auto& bytes = disk.segments.begin()->second.bytes;
  const std::uint64_t first_end = std::next(disk.segments.begin())->first;
  bytes[kSegmentHeaderBytes + 3 * record_bytes(json_of(1).size()) + 40] ^= 0x10;  // in record 4
  Spool again(disk);
  std::vector<std::uint64_t> left = numbers(1, 51);
  left.erase(left.begin() + 3);
  CHECK(again.open_records() == left);
  const auto damage = again.log.take_damage();
  REQUIRE(damage.size() == 1);
  CHECK((damage[0].segment == 1 && damage[0].records_lost == 1 && !damage[0].torn));
  CHECK(again.open_records() == left);
  CHECK(again.log.take_damage().empty());  // said once
  again.log.complete(1, first_end);
  REQUIRE(again.log.tidy().ok());
  CHECK(disk.aside.contains(1));
  CHECK_FALSE(disk.segments.contains(1));
}

TEST_CASE("spool log: a damaged header of a segment, or one that is gone, stops nothing", "[core][spool]") {
  MemoryDisk disk;
  {
    Spool spool(disk);
    for (int i = 0; i < 6; ++i) spool.put(10);
  }
  REQUIRE(disk.segments.size() >= 3);
  const std::uint64_t gone = std::next(disk.segments.begin())->first;
  const std::uint64_t behind = std::next(disk.segments.begin(), 2)->first;
  disk.segments.begin()->second.bytes[9] ^= 1;
  disk.segments.erase(gone);
  Spool again(disk);
  std::vector<std::uint64_t> left = numbers(1, gone);
  for (std::uint64_t n = behind; n < 61; ++n) left.push_back(n);
  CHECK(again.open_records() == left);
  CHECK(again.log.take_damage().size() >= 1);
}

TEST_CASE("spool log: without a readable cursor everything comes again, and that is said", "[core][spool]") {
  MemoryDisk disk;
  {
    Spool spool(disk);
    spool.put(20);
    spool.log.complete(1, 11);
    REQUIRE(spool.log.write_cursor(true).ok());
  }
  disk.cursor[6] ^= 1;
  Spool again(disk);
  CHECK(again.open_records() == numbers(1, 21));
  CHECK(again.log.take_damage().size() == 1);
}

TEST_CASE("spool log: numbers are never used again, even when a crash took the records behind the cursor",
          "[core][spool]") {
  MemoryDisk disk;
  {
    Spool spool(disk);
    spool.put(20);
    spool.log.complete(1, 21);
    REQUIRE(spool.log.write_cursor(true).ok());
  }
  disk.segments.clear();
  Spool again(disk);
  CHECK(again.log.next() == 21);
  again.put(3);
  CHECK(again.open_records() == numbers(21, 24));
}

TEST_CASE("spool log: a failed write leaves nothing of itself; a failed sync takes all since the last one back",
          "[core][spool]") {
  MemoryDisk disk;
  Spool spool(disk);
  spool.put(5);
  disk.fault = [](std::string_view what) { return what == "append" ? SpoolFault::no_room : SpoolFault::none; };
  CHECK(spool.add(3).fault == SpoolFault::no_room);
  CHECK(spool.log.next() == 6);
  disk.fault = nullptr;
  spool.put(2);
  CHECK(spool.open_records() == numbers(1, 8));

  REQUIRE(spool.add(4).ok());
  disk.fault = [](std::string_view what) { return what == "sync" ? SpoolFault::broken : SpoolFault::none; };
  CHECK_FALSE(spool.log.sync().ok());
  CHECK(spool.log.next() == 8);
  disk.fault = nullptr;
  spool.put(6);
  CHECK(spool.open_records() == numbers(1, 14));
  CHECK(spool.log.bytes() == disk.bytes());

  // The same when not even the cut succeeds: nothing is written behind what should not be there.
  REQUIRE(spool.add(4).ok());
  disk.fault = [](std::string_view what) { return what == "append" ? SpoolFault::none : SpoolFault::broken; };
  CHECK_FALSE(spool.log.sync().ok());
  CHECK_FALSE(spool.add(1).ok());
  disk.fault = nullptr;
  spool.put(1);
  CHECK(spool.open_records() == numbers(1, 15));
}

TEST_CASE("spool log: full at its bound, with room again when a segment is gone; an empty one takes anything",
          "[core][spool]") {
  MemoryDisk disk;
  Spool spool(disk, {3000, 500});
  CHECK_FALSE(spool.log.is_full(1'000'000));
  int batches = 0;
  while (!spool.log.is_full(500)) spool.put(1), ++batches;
  CHECK(batches > 20);
  CHECK(spool.log.bytes() <= 3000);
  spool.log.complete(1, 10);
  REQUIRE(spool.log.tidy().ok());
  CHECK_FALSE(spool.log.is_full(500));
}

TEST_CASE("spool log: a store of another version is refused by both numbers", "[core][spool]") {
  MemoryDisk disk;
  {
    Spool spool(disk);
    spool.put(1);
  }
  std::string& bytes = disk.segments.begin()->second.bytes;
  bytes[8] = 7;
  const std::uint32_t checksum = crc32c({bytes.data() + 16, 16}, crc32c({bytes.data() + 8, 4}));
  for (std::size_t i = 0; i < 4; ++i) bytes[12 + i] = static_cast<char>(checksum >> (8 * i) & 0xff);
  MemorySpool store(disk);
  SpoolLog log(store, {1000, 1000});
  const SpoolAnswer answer = log.open();
  CHECK(answer.fault == SpoolFault::broken);
  CHECK(answer.text.find("version 7") != std::string::npos);
  CHECK(disk.segments.size() == 1);
}

TEST_CASE("spool log: a second owner is refused", "[core][spool]") {
  MemoryDisk disk;
  Spool spool(disk);
  MemorySpool store(disk);
  SpoolLog log(store, {1000, 1000});
  CHECK_FALSE(log.open().ok());
}
