// Configurations from a class's schema: one that should work, and many odd ones that the schema still lets through.
#include "edge/plugin_check/case.hh"
#include "edge/schema_check.hh"
#include "edge/yaml_reader.hh"

namespace sluice::check {
namespace {

constexpr int kDepthMax = 8;
const Value kNowhere;

std::string kind_of(const Value& schema) {
  const Value* type = schema.find("type");
  if (type == nullptr) return schema.find("properties") != nullptr ? "object" : "string";
  return type->kind == Value::Kind::list && !type->list.empty() ? type->list.front().string : type->string;
}

/// The smallest value that fits: the author's own example or default where there is one.
Value smallest(const Value& schema, int depth) {
  if (const Value* examples = schema.find("examples"); examples != nullptr && !examples->list.empty()) {
    return examples->list.front();
  }
  if (const Value* fallback = schema.find("default")) return *fallback;
  if (const Value* constant = schema.find("const")) return *constant;
  if (const Value* choices = schema.find("enum"); choices != nullptr && !choices->list.empty())
    return choices->list.front();
  const std::string kind = kind_of(schema);
  if (kind == "object") {
    Value out = make_map(kNowhere);
    const Value* required = schema.find("required");
    const Value* properties = schema.find("properties");
    if (required == nullptr || properties == nullptr || depth > kDepthMax) return out;
    for (const Value& name : required->list) {
      if (const Value* member = properties->find(name.string)) out.put(name.string, smallest(*member, depth + 1));
    }
    return out;
  }
  if (kind == "array") {
    Value out = make_list(kNowhere);
    const Value* items = schema.find("items");
    const Value* least = schema.find("minItems");
    for (std::int64_t i = 0; items != nullptr && least != nullptr && i < std::min<std::int64_t>(least->integer, 100);
         ++i) {
      out.list.push_back(smallest(*items, depth + 1));
    }
    return out;
  }
  if (kind == "integer" || kind == "number") {
    const Value* least = schema.find("minimum");
    return least != nullptr ? *least : make_integer(1, kNowhere);
  }
  if (kind == "boolean") return make_boolean(false, kNowhere);
  const Value* least = schema.find("minLength");
  return make_string(
      std::string(least == nullptr ? 1 : static_cast<std::size_t>(std::min<std::int64_t>(least->integer, 1000)), 'x'),
      kNowhere);
}

Value odd_value(const Value& schema, std::mt19937_64& random, int depth);

Value odd_object(const Value& schema, std::mt19937_64& random, int depth) {
  Value out = smallest(schema, depth);
  if (out.kind != Value::Kind::map) out = make_map(kNowhere);
  const Value* properties = schema.find("properties");
  if (properties == nullptr || depth > kDepthMax) return out;
  for (const auto& [name, member] : properties->map) {
    if (random() % 3 == 0) out.put(name, odd_value(member, random, depth + 1));
  }
  return out;
}

Value odd_value(const Value& schema, std::mt19937_64& random, int depth) {
  if (const Value* choices = schema.find("enum"); choices != nullptr && !choices->list.empty()) {
    return choices->list[random() % choices->list.size()];
  }
  const std::string kind = kind_of(schema);
  if (kind == "object") return odd_object(schema, random, depth);
  if (kind == "boolean") return make_boolean(random() % 2 == 0, kNowhere);
  if (kind == "integer" || kind == "number") {
    const Value* bound = schema.find(random() % 2 == 0 ? "minimum" : "maximum");
    if (bound != nullptr) return *bound;
    static constexpr std::int64_t kNumbers[] = {0, -1, 1, 2147483648, 9223372036854775807, -9223372036854775807 - 1};
    return make_integer(kNumbers[random() % std::size(kNumbers)], kNowhere);
  }
  if (kind == "array") {
    Value out = make_list(kNowhere);
    const Value* items = schema.find("items");
    const std::size_t count = random() % 4;
    for (std::size_t i = 0; items != nullptr && i < count; ++i)
      out.list.push_back(odd_value(*items, random, depth + 1));
    return out;
  }
  static const std::string kTexts[] = {"",
                                       " ",
                                       "%s%n",
                                       "../../..",
                                       "\xc3\xa4\xe2\x82\xac",
                                       "http://",
                                       "redis://:@:/",
                                       "a\tb",
                                       std::string(4000, 'a'),
                                       "[::1]:0",
                                       "-1",
                                       "null"};
  return make_string(kTexts[random() % std::size(kTexts)], kNowhere);
}

/// As a run would give it to create(), or nothing and why.
std::optional<std::string> as_given(const ClassDescription& description, Value config, std::string& why) {
  NodeConfig node;
  node.kind = description.kind;
  node.name = "checked";
  node.klass = description.name;
  node.config = std::move(config);
  node.file = "sample";
  Problems problems;
  check_node_config(node, description, problems);
  if (has_errors(problems)) {
    why = problems.front().path + ": " + problems.front().text;
    return {};
  }
  return node.fan_out_json.empty() ? node.config_json : node.fan_out_json.front();
}

Value schema_of(const ClassDescription& description) {
  Problems problems;
  auto schema = read_yaml(description.schema_json, "schema", problems);
  if (!schema) throw Failed("the schema cannot be read as JSON");
  return std::move(*schema);
}

}  // namespace

std::string Case::sample_config() const {
  std::string why;
  const auto given = as_given(description(), smallest(schema_of(description()), 0), why);
  if (!given) {
    throw Skipped("no sample configuration could be made up (" + why +
                  "); an \"examples\" list at that key of the schema helps");
  }
  return *given;
}

std::vector<std::string> odd_configs(const ClassDescription& description, std::mt19937_64& random,
                                     std::size_t how_many) {
  const Value schema = schema_of(description);
  std::vector<std::string> out;
  for (std::size_t tries = 0; tries < how_many * 4 && out.size() < how_many; ++tries) {
    std::string why;
    if (auto given = as_given(description, odd_object(schema, random, 0), why)) out.push_back(std::move(*given));
  }
  return out;
}

}  // namespace sluice::check
