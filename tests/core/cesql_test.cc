// CESQL beyond the vectors: bounds, places of errors, texts that are made, and its use as a filter.
#include "core/cesql.hh"

#include "catch.hh"
#include "decoding.hh"

#include <string>

using namespace sluice;
using namespace sluice::cesql;

namespace {

const char* const kEvent =
    R"({"specversion":"1.0","id":"1","source":"/s","type":"a.b","subject":"doc-7","n":7,"flag":true})";

std::string refusal(const std::string& text) {
  std::string why;
  CHECK_FALSE(Expression::parse(text, why));
  return why;
}

struct Evaluated {
  Type type;
  std::int32_t number;
  std::string text;
  std::vector<Error> errors;
};

Evaluated evaluated(const std::string& text, const char* event = kEvent) {
  std::string why;
  const auto expression = Expression::parse(text, why);
  INFO(text << ": " << why);
  REQUIRE(expression);
  Decoding decoding;
  REQUIRE(decoding.code(event) == "");
  Scratch scratch;
  const Result result = expression->evaluate(decoding.last().raw(), scratch);
  return {result.value.type,
          result.value.number,
          std::string(result.value.text),
          {result.errors.begin(), result.errors.begin() + static_cast<std::ptrdiff_t>(result.error_count)}};
}

}  // namespace

TEST_CASE("cesql: what is no expression is refused with the byte and the cure") {
  CHECK(refusal("") == "at byte 0: the expression is empty");
  CHECK(refusal("type = ") == "at byte 7: a value is missing");
  CHECK(refusal("type = 'x") == "at byte 7: a string that is not closed");
  CHECK(refusal("id LIKE type").find("must be a string as it stands") != std::string::npos);
  CHECK(refusal("in = 5").find("keyword IN") != std::string::npos);
  CHECK(refusal("a_b = 5").find("lower-case letters and digits only") != std::string::npos);
  CHECK(refusal("2147483648").find("32 bits") != std::string::npos);
  CHECK(refusal("id IN ()").find("the set behind IN is empty") != std::string::npos);
  CHECK(refusal("a = 1 OR b = 2 AND c = 3").find("use parentheses") != std::string::npos);
}

TEST_CASE("cesql: length and depth are bounded") {
  CHECK(refusal(std::string(kLongestExpression + 1, ' ')).find("16384 bytes at most") != std::string::npos);
  CHECK(refusal(std::string(1000, '(')).find("128 deep at most") != std::string::npos);
  CHECK(refusal(std::string(1000, '-') + "n").find("128 deep at most") != std::string::npos);
  std::string sum = "1";
  for (int i = 0; i < 200; ++i) sum += " + 1";
  CHECK(refusal(sum).find("128 deep at most") != std::string::npos);
  std::string many = "n = 0";
  for (int i = 0; i < 1000; ++i) many += " OR n = " + std::to_string(i);
  CHECK(evaluated(many).number == 1);  // a long row of one operator is no depth
}

TEST_CASE("cesql: an error names its place, and each operand's error is kept") {
  const auto both = evaluated("absent + 1 / 0");
  REQUIRE(both.errors.size() == 2);
  CHECK(both.errors[0].kind == ErrorKind::missing_attribute);
  CHECK(both.errors[0].at == 0);
  CHECK(both.errors[1].kind == ErrorKind::math);
  CHECK(both.errors[1].at == 11);
  CHECK(both.type == Type::integer);
  CHECK(both.number == 0);
}

TEST_CASE("cesql: attributes have the types of their events") {
  CHECK(evaluated("n + 1").number == 8);
  CHECK(evaluated("flag").type == Type::boolean);
  CHECK(evaluated("specversion").text == "1.0");
  CHECK(evaluated("EXISTS subject AND NOT (EXISTS time)").number == 1);
  CHECK(evaluated("data").errors.size() == 1);
}

TEST_CASE("cesql: texts larger than the stack's share are made whole, and bounded") {
  const std::string long_subject =
      R"({"specversion":"1.0","id":"1","source":"/s","type":"t","subject":")" + std::string(500'000, 'x') + "\"}";
  CHECK(evaluated("LENGTH(CONCAT(subject, subject, '!'))", long_subject.c_str()).number == 1'000'001);
  const auto beyond = evaluated("CONCAT(subject,subject,subject,subject,subject,subject,subject,subject,subject)",
                                long_subject.c_str());
  REQUIRE(beyond.errors.size() == 1);
  CHECK(beyond.errors[0].kind == ErrorKind::generic);
}

TEST_CASE("cesql: as a filter only true without an error passes") {
  std::string why;
  Decoding decoding;
  REQUIRE(decoding.code(kEvent) == "");
  const auto passes = [&](const char* text) { return Expression::parse(text, why)->matches(decoding.last().raw()); };
  CHECK(passes("type LIKE 'a.%' AND EXISTS subject"));
  CHECK_FALSE(passes("n"));
  CHECK_FALSE(passes("'true'"));
  CHECK_FALSE(passes("true AND absent"));
  CHECK(passes("true OR absent"));
}
