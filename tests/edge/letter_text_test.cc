// Dead letters for people and for scripts, and what is typed to choose them.
#include "edge/letter_text.hh"
#include "catch.hh"
#include "core/setup_error.hh"
#include "edge/letter_choice.hh"

#include <string>

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

Letter letter() {
  Letter made;
  made.number = 17;
  made.event_json = R"({"specversion":"1.0","id":"e1","source":"/s","type":"t","data":{"n":1}})";
  made.source = "/s";
  made.id = "e1";
  made.type = "t";
  made.death = {"hook", "the \"answer\"\x1b[31m was 500", 500, 5, 1'000'000'000, 2'000'000'000};
  made.redrives = 1;
  made.history_json = "[" + death_json({"hook", "before", 0, 1, 0, 0}) + "]";
  return made;
}

std::string refused(const DlqCommand& command) {
  try {
    (void)choice_of(command, 0);
  } catch (const SetupError& error) {
    CHECK(error.code() == kUsage);
    return error.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("letters: a line for scripts has the facts and not the event") {
  CHECK(
      letter_line(letter(), "store") ==
      R"({"number":17,"store":"store","node":"hook","reason":"the \"answer\"\u001b[31m was 500","code":500,"attempts":5,)"
      R"("first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:02.000Z","redrives":1,)"
      R"("id":"e1","type":"t","source":"/s"})"
      "\n");
}

TEST_CASE("letters: shown whole, event and history are JSON inside") {
  const std::string whole = letter_whole(letter(), "store");
  CHECK_THAT(whole, Contains(R"("event":{"specversion":"1.0","id":"e1")"));
  CHECK_THAT(whole, Contains(R"("history":[{"node":"hook","reason":"before")"));
}

TEST_CASE("letters: a row of the table keeps its columns and lets no control character through") {
  Letter wide = letter();
  wide.type = "com.example.a.very.long.type.that.does.not.fit.into.its.column";
  const std::string row = letter_row(wide, 150), heading = letter_heading();
  CHECK(row.find("\x1b") == std::string::npos);
  CHECK(row.find("hook") == heading.find("NODE"));
  CHECK(row.find("com.example") == heading.find("TYPE"));
  // A cut ends with "…", three bytes in one column.
  CHECK(row.find("\u2026") != std::string::npos);
  CHECK(row.find("the \"answer\"") == heading.find("REASON") + 2);
  CHECK(row.back() == '\n');
}

TEST_CASE("letters: types and a filter are one choice") {
  CHECK(filter_json({}, "").empty());
  CHECK(filter_json({"a.*", "b\""}, "") == R"([{"types":["a.*","b\""]}])");
  CHECK(filter_json({}, R"({"exact":{"id":"x"}})") == R"([{"exact":{"id":"x"}}])");
  CHECK(filter_json({"a"}, R"( [{"exact":{"id":"x"}}] )") == R"([{"types":["a"]},{"exact":{"id":"x"}}])");
  CHECK(filter_json({"a"}, "[]") == R"([{"types":["a"]}])");
}

TEST_CASE("letters: what cannot be meant is refused with its option") {
  DlqCommand command;
  command.since = "yesterday";
  CHECK_THAT(refused(command), Contains("--since: expected a time such as"));
  command = {};
  command.when_json = R"({"exat":{}})";
  CHECK_THAT(refused(command), Contains("--when: "));
  command = {};
  command.types = {""};
  CHECK_THAT(refused(command), Contains("--type: "));
  CHECK_THROWS_AS(rate_of("5"), SetupError);
  CHECK(rate_of("5/s") == 5);
  CHECK(rate_of("") == 0);
}
