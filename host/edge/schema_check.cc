#define VALIJSON_USE_EXCEPTIONS 1

#include "edge/schema_check.hh"

#include "core/map_reader.hh"
#include "core/schema_defaults.hh"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>

namespace sluice {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kLargestSchema = 1024 * 1024;  // bytes

constexpr std::size_t kDeepestSchema = 128;

Value to_value(const ordered_json& json, std::size_t depth = 0) {
  Value value;
  if (depth > kDeepestSchema) return value;  // refused later: null is no schema
  switch (json.type()) {
    case ordered_json::value_t::object:
      value.kind = Value::Kind::map;
      for (const auto& [key, member] : json.items()) value.put(key, to_value(member, depth + 1));
      return value;
    case ordered_json::value_t::array:
      value.kind = Value::Kind::list;
      for (const auto& member : json) value.list.push_back(to_value(member, depth + 1));
      return value;
    case ordered_json::value_t::string:
      return make_string(json.get<std::string>(), value);
    case ordered_json::value_t::boolean:
      return make_boolean(json.get<bool>(), value);
    case ordered_json::value_t::number_integer:
    case ordered_json::value_t::number_unsigned:
      return make_integer(json.get<std::int64_t>(), value);
    case ordered_json::value_t::number_float:
      return make_number(json.get<double>(), value);
    default:
      return value;
  }
}

std::optional<Value> parse_schema(const std::string& text, std::string& why) {
  if (text.size() > kLargestSchema) {
    why = "is larger than 1 MiB";
    return {};
  }
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    why = "is no JSON";
    return {};
  }
  Value schema = to_value(json);
  if (const auto unusable = why_unusable(schema)) {
    why = *unusable;
    return {};
  }
  return schema;
}

/// "[urls]" and "[0]" become "urls" and "0".
std::vector<std::string> keys_of(const std::vector<std::string>& context) {
  std::vector<std::string> keys;
  for (const std::string& step : context) {
    if (step.size() >= 2 && step.front() == '[' && step.back() == ']') keys.push_back(step.substr(1, step.size() - 2));
  }
  return keys;
}

const Value* value_at(const Value& root, const std::vector<std::string>& keys) {
  const Value* here = &root;
  for (const std::string& key : keys) {
    if (here->is_list()) {
      const std::size_t index = std::stoul(key);
      if (index >= here->list.size()) return here;
      here = &here->list[index];
    } else if (const Value* member = here->find(key); member != nullptr) {
      here = member;
    } else {
      return here;
    }
  }
  return here;
}

std::string path_of(const Value& root, const std::string& start, const std::vector<std::string>& keys) {
  std::string path = start;
  const Value* here = &root;
  for (const std::string& key : keys) {
    path += here->is_list() ? "[" + key + "]" : "." + key;
    here = value_at(*here, {key});
  }
  return path;
}

/// One class's schema against one node's config.
class Checker {
 public:
  Checker(NodeConfig& node, const Value& schema, Problems& problems)
      : node_(node), schema_(schema), problems_(problems), path_(node.path + ".config"), first_(problems.size()) {}

  void run() {
    apply_schema(schema_, node_.config, path_, problems_);
    valijson::Schema compiled;
    const nlohmann::json schema_json = nlohmann::json::parse(to_json(schema_));
    const nlohmann::json config_json = nlohmann::json::parse(to_json(node_.config));
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json), compiled);
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(compiled, valijson::adapters::NlohmannJsonAdapter(config_json), &results)) return;
    valijson::ValidationResults::Error error;
    std::vector<valijson::ValidationResults::Error> outer;
    while (results.popError(error)) {
      // What an outer schema says about an inner failure adds nothing, unless it is all there is.
      const bool wraps = error.description.starts_with("Failed to validate") ||
                         error.description.starts_with("Object contains a property");
      wraps ? outer.push_back(error) : report(error);
    }
    for (std::size_t i = 0; i < outer.size() && problems_.size() == first_; ++i) report(outer[i]);
  }

 private:
  void report(const valijson::ValidationResults::Error& error) {
    const auto keys = keys_of(error.context);
    const Value& where = *value_at(node_.config, keys);
    const std::string path = path_of(node_.config, path_, keys);
    const std::string missing = "Missing required property '";
    if (error.description.starts_with(missing)) {
      const std::size_t end = error.description.find('\'', missing.size());
      return missing_key(where, path, keys, error.description.substr(missing.size(), end - missing.size()));
    }
    const Value* schema = schema_at(schema_, keys);
    const std::string wanted = schema == nullptr ? "" : wanted_text(*schema);
    say(where, path,
        wanted.empty() ? plain(error.description) : "must be " + wanted + ", " + but_is(where) + quotes(where, schema));
  }

  /// The keys of which any one would do: `anyOf: [{required: [url]}, {required: [urls]}]`.
  static std::vector<std::string> alternatives(const Value* schema) {
    std::vector<std::string> keys;
    const Value* any = schema == nullptr ? nullptr : schema->find("anyOf");
    if (any == nullptr) any = schema == nullptr ? nullptr : schema->find("oneOf");
    if (any == nullptr) return keys;
    for (const Value& branch : any->list) {
      const Value* required = branch.find("required");
      if (required != nullptr && required->list.size() == 1) keys.push_back(required->list[0].string);
    }
    return keys;
  }

  void missing_key(const Value& where, const std::string& path, std::vector<std::string> keys, const std::string& key) {
    const auto others = alternatives(schema_at(schema_, keys));
    if (others.size() > 1 && std::ranges::find(others, key) != others.end()) {
      std::string names;
      for (const std::string& one : others) names += (names.empty() ? "" : " or ") + one;
      return say(at_node(where), path, "needs " + names);
    }
    keys.push_back(key);
    const Value* schema = schema_at(schema_, keys);
    const Value* said = schema == nullptr ? nullptr : schema->find("description");
    const std::string text = "is required" + (said == nullptr ? "" : ": " + said->string);
    Value place = at_node(where);
    if (!place.path.empty()) place.path += "." + key;
    say(place, path + "." + key, text);
  }

  /// A config that was never written stands where its node stands.
  Value at_node(const Value& where) const {
    Value place = make_map(where);
    if (place.mark.line == 0 && place.file == node_.file) place.mark = node_.mark;
    return place;
  }

  static std::string quotes(const Value& where, const Value* schema) {
    const Value* type = schema->find("type");
    const bool scalar =
        where.kind == Value::Kind::integer || where.kind == Value::Kind::number || where.kind == Value::Kind::boolean;
    return type != nullptr && type->string == "string" && scalar ? " (put it in quotes)" : "";
  }

  static std::string plain(std::string text) {
    if (!text.empty() && text.back() == '.') text.pop_back();
    return "does not fit its schema: " + text;
  }

  /// Once per place: the first thing said about a value is the nearest to its cause.
  void say(const Value& where, const std::string& path, std::string text) {
    const std::string& shown = where.path.empty() ? path : where.path;
    for (std::size_t i = first_; i < problems_.size(); ++i) {
      if (problems_[i].path == shown) return;
    }
    complain(problems_, where, path, std::move(text));
  }

  NodeConfig& node_;
  const Value& schema_;
  Problems& problems_;
  const std::string path_;
  const std::size_t first_;
};

void fill_json(NodeConfig& node, const Value& schema) {
  node.config_json = to_json(node.config);
  node.shown_json = to_json(without_secrets(schema, node.config));
  node.fan_out = fan_out_key(schema);
  node.fan_out_json.clear();
  const Value* list = node.fan_out.empty() ? nullptr : node.config.find(node.fan_out);
  if (list == nullptr || !list->is_list()) return;
  for (const Value& element : list->list) {
    Value one = node.config;
    one.find(node.fan_out)->list = {element};
    node.fan_out_json.push_back(to_json(one));
  }
}

}  // namespace

void check_node_config(NodeConfig& node, const ClassDescription& described, Problems& problems) {
  const std::string text = described.schema_json.empty() ? "{}" : described.schema_json;
  std::string why;
  const auto schema = parse_schema(text, why);
  const auto bad_schema = [&](const std::string& reason) {
    problems.push_back({node.file, node.klass_mark, node.path + ".class",
                        "the config schema of class " + node.klass + " (" + described.module_path + ") " + reason,
                        Severity::error});
  };
  if (!schema) return bad_schema(why);
  try {
    Checker(node, *schema, problems).run();
  } catch (const std::exception& e) {
    return bad_schema(std::string("cannot be used: ") + e.what());
  }
  fill_json(node, *schema);
}

std::optional<std::string> why_bad_schema(const std::string& schema_json) {
  std::string why;
  const auto schema = parse_schema(schema_json, why);
  if (!schema) return why;
  try {
    const nlohmann::json json = nlohmann::json::parse(schema_json);
    valijson::Schema compiled;
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(valijson::adapters::NlohmannJsonAdapter(json), compiled);
  } catch (const std::exception& e) {
    return std::string("cannot be used: ") + e.what();
  }
  return {};
}

}  // namespace sluice
