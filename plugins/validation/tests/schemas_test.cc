// Which schemas are taken, what they refuse and how a refusal reads.
#include "catch.hh"
#include "compiled_schema.hh"

#include <string>

namespace {

using validation::CompiledSchema;
using validation::Draft;

std::string why_bad(const std::string& schema, Draft draft = Draft::draft_7) {
  try {
    const CompiledSchema compiled(schema, draft);
    return "taken";
  } catch (const validation::BadSchema& why) {
    return why.what();
  }
}

std::string why_not(const std::string& schema, const std::string& data, Draft draft = Draft::draft_7) {
  CompiledSchema compiled(schema, draft);
  validation::DataCheck check;
  return check.why_not(data, compiled).value_or("fits");
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string nested(int levels) {
  std::string data;
  for (int i = 0; i < levels; ++i) data += R"({"a":)";
  return data + "1" + std::string(static_cast<std::size_t>(levels), '}');
}

}  // namespace

TEST_CASE("schemas: data that fits passes, and the reason names the place of what does not", "[schema]") {
  const std::string schema = R"({"type":"object","required":["rate"],"properties":{
      "rate":{"type":"number","minimum":0,"maximum":1},
      "runs":{"type":"array","items":{"properties":{"a/b":{"type":"string"}}}}}})";
  CHECK(why_not(schema, R"({"rate":0.5,"runs":[{"a/b":"x"}]})") == "fits");
  CHECK(says(why_not(schema, R"({"rate":2})"), "/rate: "));
  CHECK(says(why_not(schema, R"({"rate":1,"runs":[{},{"a/b":3}]})"), "/runs/1/a~1b: "));
  CHECK(says(why_not(schema, "{}"), "rate"));
  CHECK(says(why_not(schema, "{"), "no JSON"));
}

TEST_CASE("schemas: keywords that would pass in silence are refused by name", "[schema]") {
  const std::string keyword = GENERATE("unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$anchor",
                                       "minContains", "maxContains", "patternProperties", "$recursiveRef", "typo");
  const std::string why = why_bad(R"({"properties":{"a":{")" + keyword + R"(":false}}})", Draft::draft_2020_12);
  CHECK(says(why, "#/properties/a/" + keyword));
  CHECK(says(why, "does not check"));
}

TEST_CASE("schemas: what is no schema is refused with its place", "[schema]") {
  struct Row {
    std::string schema, part;
  };
  const auto row = GENERATE(values<Row>({
      {"[]", "# is no schema"},
      {"{", "is no JSON"},
      {R"({"type":"strnig"})", "#/type names no type"},
      {R"({"required":"a"})", "#/required"},
      {R"({"minimum":"3"})", "#/minimum is no number"},
      {R"({"properties":{"a":3}})", "#/properties/a is no schema"},
      {R"({"$schema":"http://json-schema.org/draft-04/schema#"})", "#/$schema must be"},
      {R"({"allOf":[]})", "#/allOf is no list"},
      {R"({"pattern":"("})", "#/pattern is no regular expression"},
      {R"({"pattern":"(a)\\1"})", "#/pattern is no regular expression"},
      {R"({"pattern":"(a{100}){100}"})", "repeats more than 1000"},
      {R"({"properties":{"a":{"$ref":"other.json"}}})", "must begin with #/"},
      {R"({"properties":{"a":{"$ref":"#/nowhere"}}})", "leads to no schema: #/nowhere"},
      {R"({"type":"object","type":"array"})", "twice"},
  }));
  CAPTURE(row.schema);
  CHECK(says(why_bad(row.schema), row.part));
}

TEST_CASE("schemas: a reference that only comes back to the same value is refused, never followed", "[schema]") {
  CHECK(says(why_bad(R"({"$ref":"#"})"), "refers to itself"));
  CHECK(says(why_bad(R"({"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"allOf":[{"$ref":"#/definitions/a"}]}},
                        "properties":{"x":{"$ref":"#/definitions/a"}}})"),
             "refers to itself"));
}

TEST_CASE("schemas: a schema that describes a tree by itself is taken", "[schema]") {
  const std::string tree = R"({"type":["object","integer"],"properties":{"a":{"$ref":"#"}}})";
  CHECK(why_not(tree, nested(60)) == "fits");
  CHECK(says(why_not(tree, R"({"a":{"a":{"a":"text"}}})"), "/a/a/a"));
}

TEST_CASE("schemas: work that doubles with every level of the data ends at a bound", "[schema]") {
  const std::string doubling = R"({"type":["object","string"],
      "anyOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}]})";
  CHECK(says(why_not(doubling, nested(60)), "steps"));
  CHECK(why_not(doubling, R"({"a":{"a":"x"}})") == "fits");
}

TEST_CASE("schemas: patterns cost no more than the text is long", "[schema]") {
  const std::string evil = R"({"pattern":"^(a+)+$"})";
  CHECK(why_not(evil, '"' + std::string(60, 'a') + '"') == "fits");
  CHECK(says(why_not(evil, '"' + std::string(60, 'a') + "b\""), "pattern"));
  CHECK(says(why_not(R"({"pattern":"^.*$"})", '"' + std::string(200'000, 'a') + '"'), "too long"));
}

TEST_CASE("schemas: 2020-12 says in its own words what draft 7 says in others", "[schema]") {
  const std::string schema = R"({"$schema":"https://json-schema.org/draft/2020-12/schema",
      "$defs":{"n":{"type":"number"}},
      "properties":{"pair":{"prefixItems":[{"type":"string"},{"$ref":"#/$defs/n","minimum":3}],"items":false}},
      "dependentRequired":{"card":["address"]},
      "dependentSchemas":{"gift":{"required":["wish"]}}})";
  CHECK(why_not(schema, R"({"pair":["a",3]})") == "fits");
  CHECK(says(why_not(schema, R"({"pair":[1,3]})"), "/pair/0"));
  CHECK(says(why_not(schema, R"({"pair":["a",2]})"), "/pair/1"));
  CHECK(says(why_not(schema, R"({"pair":["a",3,4]})"), "/pair"));
  CHECK(why_not(schema, R"({"card":1})") != "fits");
  CHECK(why_not(schema, R"({"gift":1})") != "fits");
  CHECK(why_not(schema, R"({"gift":1,"wish":2,"card":1,"address":3})") == "fits");
  CHECK(says(why_bad(R"({"prefixItems":[{}]})"), "2020-12"));
}

TEST_CASE("schemas: in draft 7 what stands beside a reference does not count", "[schema]") {
  const std::string schema =
      R"({"definitions":{"n":{"type":"number"}},"properties":{"a":{"$ref":"#/definitions/n","minimum":3}}})";
  CHECK(why_not(schema, R"({"a":1})") == "fits");
  CHECK(why_not(schema, R"({"a":1})", Draft::draft_2020_12) != "fits");
  const std::string root = R"({"$ref":"#/definitions/A","definitions":{"A":{"required":["x"]}}})";
  CHECK(why_not(root, R"({"x":1})") == "fits");
  CHECK(why_not(root, "{}") != "fits");
}

TEST_CASE("schemas: every assertion refuses what it says", "[schema]") {
  struct Row {
    std::string schema, good, bad;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"enum":["a",1,null]})", "1", "2"},
      {R"({"const":{"a":[1]}})", R"({"a":[1]})", R"({"a":[2]})"},
      {R"({"multipleOf":0.5})", "1.5", "1.6"},
      {R"({"exclusiveMinimum":1})", "2", "1"},
      {R"({"exclusiveMaximum":1})", "0", "1"},
      {R"({"minLength":2,"maxLength":3})", "\"äöü\"", "\"ä\""},
      {R"({"minItems":1,"uniqueItems":true})", "[1,2]", "[1,1]"},
      {R"({"minProperties":1,"maxProperties":1})", R"({"a":1})", "{}"},
      {R"({"propertyNames":{"pattern":"^[a-z]+$"}})", R"({"a":1})", R"({"A":1})"},
      {R"({"contains":{"const":1}})", "[0,1]", "[0]"},
      {R"({"not":{"type":"null"}})", "1", "null"},
      {R"({"oneOf":[{"minimum":1},{"maximum":3}]})", "0", "2"},
      {R"({"if":{"minimum":5},"then":{"multipleOf":5},"else":{"multipleOf":2}})", "10", "7"},
      {R"({"items":[{"type":"null"}],"additionalItems":false})", "[null]", "[null,1]"},
      {R"({"additionalProperties":false,"properties":{"a":true}})", R"({"a":1})", R"({"b":1})"},
      {R"({"dependencies":{"a":["b"]}})", R"({"a":1,"b":1})", R"({"a":1})"},
      {R"({"type":"integer"})", "3", "3.5"},
      {"false", "", "1"},
  }));
  CAPTURE(row.schema);
  if (!row.good.empty()) CHECK(why_not(row.schema, row.good) == "fits");
  CHECK(why_not(row.schema, row.bad) != "fits");
}

TEST_CASE("schemas: the same digits are the same number in schema and data", "[schema]") {
  const std::string digits =
      GENERATE(values<std::string>({"0.1", "0.30000000000000004", "1.7976931348623157e308", "2.2250738585072014e-308",
                                    "123456789012345678901234567890", "0.1000000000000000055511151231257827",
                                    "-9007199254740993.5", "0e308", "9223372036854775808"}));
  CAPTURE(digits);
  CHECK(why_not(R"({"enum":[)" + digits + "]}", digits) == "fits");
  CHECK(why_not(R"({"minimum":)" + digits + R"(,"maximum":)" + digits + "}", digits) == "fits");
}
