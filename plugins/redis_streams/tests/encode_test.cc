// Our commands against the client library's own: byte by byte the same.
#include "catch.hh"

#include "encode.hh"

#include <hiredis/hiredis.h>

#include <vector>

namespace {

std::string by_the_library(const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    lengths.push_back(word.size());
  }
  char* made = nullptr;
  const auto length = redisFormatCommandArgv(&made, static_cast<int>(texts.size()), texts.data(), lengths.data());
  REQUIRE(length > 0);
  std::string out(made, static_cast<std::size_t>(length));
  redisFreeCommand(made);
  return out;
}

}  // namespace

TEST_CASE("encode: an entry with and without a bound on the length", "[redis]") {
  for (const std::string& event :
       {std::string(R"({"id":"1"})"), std::string(), std::string("a\r\nb\0c", 6), std::string(100'000, 'x')}) {
    std::string bounded = "kept ";
    redis_streams::AddCommand("nlp-events", "event", 10000).append(bounded, event);
    CHECK(bounded == "kept " + by_the_library({"XADD", "nlp-events", "MAXLEN", "~", "10000", "*", "event", event}));
    std::string endless;
    redis_streams::AddCommand("a stream\r\n", "f", 0).append(endless, event);
    CHECK(endless == by_the_library({"XADD", "a stream\r\n", "*", "f", event}));
  }
}

TEST_CASE("encode: any other command", "[redis]") {
  CHECK(redis_streams::command({"XTRIM", "s", "MINID", "~", "123"}) ==
        by_the_library({"XTRIM", "s", "MINID", "~", "123"}));
}
