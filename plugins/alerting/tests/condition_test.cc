// Conditions on data: what holds, and what is no condition.
#include "catch.hh"

#include "condition.hh"

#include <sluice/cpp/guard.hh>

using alerting::Condition;

namespace {

bool holds(const char* condition, const char* data) {
  alerting::JsonReader reader;
  REQUIRE(reader.open(data, false));
  return Condition(condition, reader).holds(reader);
}

}  // namespace

TEST_CASE("condition: numbers, texts and literals are compared with what stands at the pointer", "[alerting]") {
  CHECK(holds("/success_rate < 0.6", R"({"success_rate":0.59})"));
  CHECK_FALSE(holds("/success_rate < 0.6", R"({"success_rate":0.6})"));
  CHECK(holds("/n >= 5", R"({"n":5})"));
  CHECK(holds("/m/rate != 1", R"({"m":{"rate":0.5}})"));
  CHECK(holds("/list/1 == 2", R"({"list":[1,2]})"));
  CHECK(holds(R"(/reason == "early stop")", R"({"reason":"early stop"})"));
  CHECK(holds("/done == true", R"({"done":true})"));
  CHECK(holds("/error exists", R"({"error":null})"));
}

TEST_CASE("condition: what is missing or of another type does not hold", "[alerting]") {
  CHECK_FALSE(holds("/success_rate < 0.6", "{}"));
  CHECK_FALSE(holds("/success_rate < 0.6", R"({"success_rate":"low"})"));
  CHECK_FALSE(holds("/success_rate != 1", "{}"));
  CHECK_FALSE(holds("/error exists", R"({"errors":1})"));
}

TEST_CASE("condition: conditions that share a pointer look at each text anew", "[alerting]") {
  alerting::JsonReader reader;
  const Condition low("/rate < 0.5", reader), high("/rate > 0.9", reader), named("/name == \"a\"", reader);
  REQUIRE(reader.open(R"({"rate":0.2,"name":"a"})", false));
  CHECK(low.holds(reader));
  CHECK_FALSE(high.holds(reader));
  CHECK(named.holds(reader));
  REQUIRE(reader.open(R"({"rate":1})", false));
  CHECK_FALSE(low.holds(reader));
  CHECK(high.holds(reader));
  CHECK_FALSE(named.holds(reader));
  CHECK_FALSE(reader.open("{", false));
  CHECK_FALSE(high.holds(reader));
}

TEST_CASE("condition: what is no condition is refused with how one is written", "[alerting]") {
  for (const char* text :
       {"", "success_rate < 0.6", "/a", "/a ~ 1", "/a <", "/a < x", "/a < true", "/a == [1]", "/a exists 1"}) {
    CAPTURE(text);
    alerting::JsonReader reader;
    CHECK_THROWS_AS(Condition(text, reader), sluice::BadConfig);
  }
}
