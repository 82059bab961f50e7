// The small parts of configuration: units, suggestions, scalars, references, --set.
#include "catch.hh"
#include "core/interpolate.hh"
#include "core/scalar.hh"
#include "core/set_value.hh"
#include "core/suggest.hh"
#include "core/units.hh"

#include <map>

using namespace sluice;
using std::chrono::milliseconds;

namespace {

class Given : public Surroundings {
 public:
  std::map<std::string, std::string> variables, files;
  std::optional<std::string> variable(const std::string& name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<std::string> file(const std::string& path, std::string& why) const override {
    const auto found = files.find(path);
    if (found != files.end()) return found->second;
    why = "No such file or directory";
    return {};
  }
  std::string host_name() const override { return "box"; }
};

Value text_value(const std::string& text) {
  Value value;
  value.kind = Value::Kind::string;
  value.string = text;
  value.file = "f.yaml";
  value.mark = {3, 4};
  return value;
}

Value replaced(const std::string& text, const Surroundings& given, Problems& problems) {
  Value value = text_value(text);
  interpolate(value, given, "a.b", problems);
  return value;
}

}  // namespace

TEST_CASE("units: durations, sizes and rates need a unit and are exact") {
  CHECK(parse_duration("250ms") == milliseconds(250));
  CHECK(parse_duration("1s") == milliseconds(1000));
  CHECK(parse_duration("1.5 s") == milliseconds(1500));
  CHECK(parse_duration("2m") == milliseconds(120'000));
  CHECK(parse_duration("7d") == milliseconds(7LL * 86'400'000));
  for (const char* bad : {"", "5", "s", "1w", "-1s", "1e9s", "0.0001ms", "99999999999999999999d", "1s2"}) {
    CHECK_FALSE(parse_duration(bad));
  }
  CHECK(parse_size("16MiB") == 16u * 1024 * 1024);
  CHECK(parse_size("10MB") == 10'000'000u);
  CHECK(parse_size("512B") == 512u);
  for (const char* bad : {"", "16", "16mb", "1TiB", "-1B", "1..5KB"}) CHECK_FALSE(parse_size(bad));
  CHECK(parse_rate("5000/s") == 5000);
  CHECK(parse_rate("120/m") == Approx(2));
  for (const char* bad : {"", "5000", "/s", "5/d"}) CHECK_FALSE(parse_rate(bad));
}

TEST_CASE("units: what is written reads back as the same value") {
  for (const std::int64_t ms : {0LL, 1LL, 250LL, 1000LL, 1500LL, 60'000LL, 3'600'000LL, 86'400'000LL, 86'400'001LL}) {
    CHECK(parse_duration(duration_text(milliseconds(ms))) == milliseconds(ms));
  }
  for (const std::uint64_t bytes : {1ull, 1000ull, 1024ull, 65'536ull, 10'000'000ull, 1ull << 30}) {
    CHECK(parse_size(size_text(bytes)) == bytes);
  }
  for (const double rate : {5000.0, 2.0, 100.0 / 60, 20.0 / 3600}) CHECK(parse_rate(rate_text(rate)) == Approx(rate));
}

TEST_CASE("suggestion: the nearest name, when a slip of the finger explains it") {
  const std::vector<std::string> names{"max_len", "stream_name", "url", "ttl_seconds"};
  CHECK(nearest("max_lenn", names) == "max_len");
  CHECK(nearest("stream-name", names) == "stream_name");
  CHECK(nearest("ulr", names) == "url");
  CHECK(nearest("TTL_seconds", names) == "ttl_seconds");
  CHECK(nearest("password", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(suggestion("password", names) == "known are: max_len, stream_name, url, ttl_seconds");
  CHECK(edit_distance("abc", "acb") == 1);
}

TEST_CASE("interpolate: names, defaults, files and the machine's name") {
  Given given;
  given.variables = {{"A", "x"}, {"EMPTY", ""}, {"NESTED", "${A}"}};
  given.files = {{"/run/secret", "s3cret"}};
  Problems problems;
  CHECK(replaced("${A}", given, problems).string == "x");
  CHECK(replaced("p-${A}-${B:-y}-q", given, problems).string == "p-x-y-q");
  CHECK(replaced("${EMPTY:-d}", given, problems).string == "d");
  CHECK(replaced("${B:-redis://h:1/2}", given, problems).string == "redis://h:1/2");
  CHECK(replaced("${B:-}", given, problems).string.empty());
  CHECK(replaced("${HOSTNAME}", given, problems).string == "box");
  CHECK(replaced("$${A} costs 5$ and $A", given, problems).string == "${A} costs 5$ and $A");
  CHECK(replaced("${NESTED}", given, problems).string == "${A}");
  const Value secret = replaced("${file:/run/secret}", given, problems);
  CHECK(secret.string == "s3cret");
  CHECK(secret.secret);
  CHECK(problems.empty());
}

TEST_CASE("interpolate: a value is replaced once, however often it is asked") {
  Given given;
  given.variables = {{"A", "${B}"}, {"B", "no"}};
  Problems problems;
  Value value = replaced("${A}", given, problems);
  interpolate(value, given, "a.b", problems);
  CHECK(value.string == "${B}");
  Value escaped = replaced("$${B}", given, problems);
  interpolate(escaped, given, "a.b", problems);
  CHECK(escaped.string == "${B}");
}

TEST_CASE("interpolate: what cannot be replaced is a problem with its place and its cure") {
  const Given given;
  const auto line = [&](const std::string& text) {
    Problems problems;
    (void)replaced(text, given, problems);
    REQUIRE(problems.size() == 1);
    return to_line(problems[0]);
  };
  CHECK(line("${NOPE}") ==
        "f.yaml:3:4: a.b: ${NOPE} is not set in the environment; set it, or give a default: ${NOPE:-default}");
  CHECK(line("a ${A") == "f.yaml:3:4: a.b: \"${\" is never closed; write $${ for a plain ${");
  CHECK(line("${}").find("is not a reference") != std::string::npos);
  CHECK(line("${a b}").find("is not a reference") != std::string::npos);
  CHECK(line("${file:/none}") == "f.yaml:3:4: a.b: ${file:/none}: No such file or directory");
}

TEST_CASE("interpolate: a variable whose name says so is a secret, others are not") {
  Given given;
  given.variables = {{"WEBHOOK_API_KEY", "k"}, {"db_password", "p"}, {"REGION", "eu"}};
  Problems problems;
  CHECK(replaced("${WEBHOOK_API_KEY}", given, problems).secret);
  CHECK(replaced("x${db_password}", given, problems).secret);
  CHECK_FALSE(replaced("${REGION}", given, problems).secret);
}

TEST_CASE("scalar: a whole reference takes the type that is wanted, other text does not") {
  Given given;
  given.variables = {{"PORT", "8080"}, {"ON", "true"}, {"RATE", "0.5"}, {"WORD", "x"}};
  Problems problems;
  Value port = replaced("${PORT}", given, problems);
  CHECK(port.is_text());
  CHECK(take_type(port, Value::Kind::integer));
  CHECK(port.integer == 8080);
  Value on = replaced("${ON}", given, problems);
  CHECK(take_type(on, Value::Kind::boolean));
  Value rate = replaced("${RATE}", given, problems);
  CHECK(take_type(rate, Value::Kind::number));
  Value mixed = replaced("1${PORT}", given, problems);
  CHECK_FALSE(take_type(mixed, Value::Kind::integer));
  Value word = replaced("${WORD}", given, problems);
  CHECK_FALSE(take_type(word, Value::Kind::integer));
  Value literal = text_value("8080");
  CHECK_FALSE(take_type(literal, Value::Kind::integer));
}

TEST_CASE("set: a dotted path reaches maps and lists, and makes what is missing") {
  Value root;
  root.kind = Value::Kind::map;
  CHECK_FALSE(set_value(root, "a.b.c", text_value("x")));
  CHECK(root.at("a.b.c")->string == "x");
  Value list = text_value("");
  list.kind = Value::Kind::list;
  list.list = {text_value("0"), text_value("1")};
  root.put("l", list);
  CHECK_FALSE(set_value(root, "l.1", text_value("y")));
  CHECK_FALSE(set_value(root, "l.2", text_value("z")));
  CHECK(root.find("l")->list.size() == 3);
  CHECK(root.find("l")->list[1].string == "y");
  CHECK(set_value(root, "l.9", text_value("z")) == "\"9\" is no position in the list l");
  CHECK(set_value(root, "l.x", text_value("z")).has_value());
  CHECK(set_value(root, "a.b.c.d", text_value("z")) == "a.b.c is text and has no member \"d\"");
  CHECK(set_value(root, "a..b", text_value("z")).has_value());
}

TEST_CASE("to_json: keys in file order, everything escaped") {
  Value root;
  root.kind = Value::Kind::map;
  root.put("z", text_value("q\"\\\n\x01"));
  root.put("a", make_number(0.5, root));
  root.put("i", make_integer(-3, root));
  root.put("b", make_boolean(true, root));
  CHECK(to_json(root) == R"({"z":"q\"\\\n\u0001","a":0.5,"i":-3,"b":true})");
}
