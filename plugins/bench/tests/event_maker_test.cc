// The generated load: the same bytes every time, valid JSON, the promised mix and size.
#include "event_maker.hh"

#include "catch.hh"

#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

std::vector<std::string> made(std::uint64_t seed, int count, std::size_t size = 0) {
  bench::EventMaker maker(seed, size);
  std::vector<char> room(maker.max_bytes());
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.emplace_back(room.data(), maker.make(room.data()));
  return all;
}

}  // namespace

TEST_CASE("event maker: the same seed gives the same bytes, another seed others", "[bench]") {
  CHECK(made(1, 1000) == made(1, 1000));
  CHECK(made(1, 10) != made(2, 10));
}

TEST_CASE("event maker: every event is a CloudEvent with an id of its own, in the promised mix and size", "[bench]") {
  constexpr int kCount = 20'000;
  std::map<std::string, int> types;
  std::set<std::string> ids;
  std::size_t bytes = 0;
  for (const std::string& text : made(20261101, kCount)) {
    REQUIRE(text.size() <= bench::EventMaker::kEventBytesMax);
    const auto event = nlohmann::json::parse(text);
    for (const char* name : {"specversion", "id", "source", "type", "subject", "time"}) REQUIRE(event.contains(name));
    REQUIRE(event["data"].is_object());
    ++types[event["type"]];
    ids.insert(event["id"]);
    bytes += text.size() + 1;
  }
  CHECK(ids.size() == kCount);
  CHECK(types.size() == 4);
  CHECK(types["com.storytelling.nlp.document.processed"] / double(kCount) == Approx(0.90).margin(0.01));
  CHECK(types["com.storytelling.nlp.document.failed"] / double(kCount) == Approx(0.05).margin(0.01));
  CHECK(types["com.storytelling.nlp.batch.started"] / double(kCount) == Approx(0.03).margin(0.01));
  CHECK(bytes / double(kCount) == Approx(585).margin(15));
}

TEST_CASE("event maker: an event is filled up to the size asked for", "[bench]") {
  for (const std::string& text : made(7, 50, 4096)) {
    CHECK(text.size() == 4096);
    CHECK(nlohmann::json::accept(text));
  }
}
