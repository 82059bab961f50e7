#include "edge/event_commands.hh"

#include "catch.hh"

#include <algorithm>
#include <sstream>
#include <string>

using namespace sluice;

namespace {

constexpr const char* kGood = R"({"specversion":"1.0","id":"1","source":"/s","type":"a.b"})";

struct Answer {
  int exit;
  std::string out, err;
};

Answer check(const std::string& input, EventCheckOptions::Input shape = EventCheckOptions::Input::lines) {
  std::istringstream in(input);
  std::ostringstream out;
  const int exit = run_event_check({shape}, in, out);
  return {exit, out.str(), ""};
}

Answer match(const std::string& filter, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int exit = run_event_match({filter}, in, out, err);
  return {exit, out.str(), err.str()};
}

}  // namespace

TEST_CASE("event check: answers each line and fails when one is invalid") {
  const Answer answer = check(std::string(kGood) + "\n{\"specversion\":\"1.0\"}\r\n" + kGood);
  CHECK(answer.exit == 1);
  CHECK(
      answer.out ==
      "{\"line\":1,\"valid\":true}\n"
      "{\"line\":2,\"valid\":false,\"code\":\"missing_required\",\"reason\":\"the attribute \\\"id\\\" is missing\"}\n"
      "{\"line\":3,\"valid\":true}\n");
}

TEST_CASE("event check: passes over blank lines but counts them") {
  const Answer answer = check(std::string("\n \t\r\n") + kGood + "\n\n");
  CHECK(answer.exit == 0);
  CHECK(answer.out == "{\"line\":3,\"valid\":true}\n");
}

TEST_CASE("event check: a line holds one event, not an array") {
  CHECK(check(std::string("[") + kGood + "]\n").exit == 1);
}

TEST_CASE("event check: --one takes the whole input as one event") {
  using Input = EventCheckOptions::Input;
  CHECK(check("\n{\n\"specversion\":\"1.0\",\n\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}\n", Input::one).exit == 0);
  CHECK(check(std::string(kGood) + "\n" + kGood, Input::one).exit == 1);
  CHECK(check("", Input::one).exit == 1);
}

TEST_CASE("event check: --batch takes the whole input as one array") {
  using Input = EventCheckOptions::Input;
  CHECK(check(std::string("[") + kGood + ",\n" + kGood + "]\n", Input::batch).exit == 0);
  CHECK(check("[]", Input::batch).exit == 0);
  const Answer answer = check(kGood, Input::batch);
  CHECK(answer.exit == 1);
  CHECK(answer.out.find("\"batch_not_array\"") != std::string::npos);
}

TEST_CASE("event check: whatever bytes come in, each answer is one line of JSON") {
  const Answer answer = check(std::string("\xff\xfe\n\0\x01\n", 6) + "{\"gr\xC3\xB6\\u0000\":1}\n");
  CHECK(answer.exit == 1);
  CHECK(std::count(answer.out.begin(), answer.out.end(), '\n') == 3);
}

TEST_CASE("event match: says for each line whether the filter passes it") {
  const Answer answer =
      match(R"({"prefix":{"type":"a."}})",
            std::string(kGood) + "\n\n{}\n" + R"({"specversion":"1.0","id":"1","source":"/s","type":"b"})");
  CHECK(answer.exit == 0);
  CHECK(answer.out == "true\nfalse\nfalse\n");
  CHECK(answer.err.find("line 3") != std::string::npos);
}

TEST_CASE("event match: a filter that must be refused ends with 64 and its reason") {
  const Answer answer = match(R"({"regex":{"type":".*"}})", kGood);
  CHECK(answer.exit == 64);
  CHECK(answer.out.empty());
  CHECK(answer.err.find("unknown dialect") != std::string::npos);
}
