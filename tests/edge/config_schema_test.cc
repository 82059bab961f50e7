// JSON Schema: what a class accepts, and which schemas are refused themselves.
#include "catch.hh"
#include "edge/schema_check.hh"
#include "edge/yaml_reader.hh"

using namespace sluice;

namespace {

struct Checked {
  NodeConfig node;
  Problems problems;
  std::string lines;
};

Checked check(const std::string& schema, const std::string& yaml) {
  Checked checked;
  checked.node.klass = "c";
  checked.node.path = "backends.n";
  checked.node.config = *read_yaml(yaml, "f.yaml", checked.problems);
  checked.node.file = "f.yaml";
  check_node_config(checked.node, {.name = "c", .module_path = "c.so", .schema_json = schema}, checked.problems);
  for (const Problem& problem : checked.problems) checked.lines += to_line(problem) + "\n";
  return checked;
}

std::string object(const std::string& properties, const std::string& more = "") {
  return R"({"type":"object","additionalProperties":false,"properties":{)" + properties + "}" + more + "}";
}

}  // namespace

TEST_CASE("schema: defaults are filled in, also inside a map whose own default is a map") {
  const std::string schema = object(
      R"("a":{"type":"integer","default":5},"m":{"type":"object","default":{},"properties":{"x":{"type":"string","default":"y"}}},"o":{"type":"object","properties":{"x":{"default":1}}},"l":{"type":"array","items":{"type":"object","properties":{"z":{"default":true}}}})");
  CHECK(check(schema, "{}").node.config_json == R"({"a":5,"m":{"x":"y"}})");
  CHECK(check(schema, "{a: 1, o: {}, l: [{}]}").node.config_json ==
        R"({"a":1,"o":{"x":1},"l":[{"z":true}],"m":{"x":"y"}})");
}

TEST_CASE("schema: units are resolved, plain numbers are milliseconds and bytes") {
  const std::string schema = object(
      R"("t":{"type":"integer","x-unit":"ms","minimum":10,"default":"2s"},"b":{"type":"integer","x-unit":"bytes","default":"1KiB"})");
  CHECK(check(schema, "{}").node.config_json == R"({"t":2000,"b":1024})");
  CHECK(check(schema, "{t: 1m, b: 10MB}").node.config_json == R"({"t":60000,"b":10000000})");
  CHECK(check(schema, "{t: 50, b: 7}").node.config_json == R"({"t":50,"b":7})");
  CHECK(check(schema, "{t: 5ms}").lines ==
        "f.yaml:1:5: backends.n.config.t: must be a whole number of at least 10, but is a whole number: 5\n");
  CHECK(check(schema, "{t: soon}")
            .lines.starts_with("f.yaml:1:5: backends.n.config.t: must be a duration with its unit"));
  CHECK(check(schema, "{b: 5 elephants}")
            .lines.starts_with("f.yaml:1:5: backends.n.config.b: must be a size with its unit"));
}

TEST_CASE("schema: what does not fit is said at the value, with what would fit") {
  const std::string schema = object(
      R"("n":{"type":"integer","minimum":1,"maximum":9},"e":{"enum":["a","b"]},"s":{"type":"string","minLength":1},"f":{"type":"number"},"l":{"type":"array","minItems":1,"items":{"type":"string"}},"p":{"type":"string","pattern":"^/"},"b":{"type":"boolean"})");
  const auto line = [&](const std::string& yaml) { return check(schema, yaml).lines; };
  CHECK(line("{n: 0}") ==
        "f.yaml:1:5: backends.n.config.n: must be a whole number of at least 1 and of at most 9, but is a whole "
        "number: 0\n");
  CHECK(line("{n: 1.5}").find("but is a number: 1.5") != std::string::npos);
  CHECK(line("{n: x}").find("but is text: x") != std::string::npos);
  CHECK(line("{e: c}") == "f.yaml:1:5: backends.n.config.e: must be one of a, b, but is text: c\n");
  CHECK(line("{s: 5}").find("must be text that is not empty, but is a whole number: 5 (put it in quotes)") !=
        std::string::npos);
  CHECK(line("{s: ''}").find("that is not empty") != std::string::npos);
  CHECK(line("{f: 5}").empty());
  CHECK(line("{l: []}").find("must be a list with a count of at least 1") != std::string::npos);
  CHECK(line("{l: [a, 5]}").starts_with("f.yaml:1:9: backends.n.config.l[1]: must be text"));
  CHECK(line("{p: x}").find("must be text that matches ^/") != std::string::npos);
  CHECK(line("{b: yes}").find("must be true or false, but is text: yes") != std::string::npos);
  CHECK(line("{n: ~}").find("but is nothing") != std::string::npos);
}

TEST_CASE("schema: missing and unknown keys are named, all at once") {
  const std::string schema =
      object(R"("path":{"type":"string","description":"Where."},"fsync":{"type":"string"})", R"(,"required":["path"])");
  const Checked checked = check(schema, "{pth: x, fsnc: y}");
  CHECK(checked.lines ==
        "f.yaml:1:2: backends.n.config.pth: unknown key; did you mean \"path\"?\n"
        "f.yaml:1:10: backends.n.config.fsnc: unknown key; did you mean \"fsync\"?\n"
        "f.yaml:1:1: backends.n.config.path: is required: Where.\n");
  const std::string either =
      object(R"("url":{},"urls":{})", R"(,"anyOf":[{"required":["url"]},{"required":["urls"]}])");
  CHECK(check(either, "{}").lines == "f.yaml:1:1: backends.n.config: needs url or urls\n");
}

TEST_CASE("schema: a long text with a pattern is refused before the regular expression sees it") {
  const std::string schema = object(R"("p":{"type":"string","pattern":"^(a|b)*$"})");
  CHECK(check(schema, "{p: " + std::string(200'000, 'a') + "}").lines.find("is longer than 1024 bytes") !=
        std::string::npos);
}

TEST_CASE("schema: references inside the schema are followed") {
  const std::string schema =
      R"({"type":"object","additionalProperties":false,"properties":{"w":{"$ref":"#/definitions/wait"}},"definitions":{"wait":{"type":"integer","x-unit":"ms","default":7}}})";
  CHECK(check(schema, "{}").node.config_json == R"({"w":7})");
  CHECK(check(schema, "{w: 1s}").node.config_json == R"({"w":1000})");
}

TEST_CASE("schema: one that the host cannot honour is refused with the module's name") {
  const auto why = [](const std::string& schema) { return why_bad_schema(schema).value_or("fine"); };
  CHECK(why("{}") == "fine");
  CHECK(why("{") == "is no JSON");
  CHECK(why(R"({"$ref":"#"})") == "#/$ref must start with #/");
  CHECK(why(R"({"definitions":{"a":{"$ref":"#/definitions/a"}},"$ref":"#/definitions/a"})").find("refers to itself") !=
        std::string::npos);
  CHECK(why(R"({"$ref":"#/definitions/none"})").find("refers to nothing") != std::string::npos);
  CHECK(why(R"({"properties":{"a":{"format":"uri"}}})") ==
        "#/properties/a uses the keyword \"format\", which this host does not check");
  for (const char* keyword : {"prefixItems", "dependentRequired", "unevaluatedProperties"}) {
    CHECK(why(std::string("{\"") + keyword + "\":[]}").find("does not check") != std::string::npos);
  }
  CHECK(why(R"({"type":"objekt"})").find("cannot be used") != std::string::npos);
  CHECK(why(R"({"x-unit":"hours"})").find("must be \"ms\" or \"bytes\"") != std::string::npos);
  CHECK(why(R"({"properties":{"p":{"type":"string","pattern":"("}}})") != "fine");
  CHECK(why(std::string(100'000, '[') + std::string(100'000, ']')) != "fine");
  CHECK(check(R"({"format":"uri"})", "{}").lines.find("the config schema of class c (c.so) # uses the keyword") !=
        std::string::npos);
}
