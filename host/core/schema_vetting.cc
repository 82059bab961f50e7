// Which schemas the host can honour: every keyword is one that is checked, every reference leads somewhere and ends.
#include "core/schema_defaults.hh"
#include "core/schema_steps.hh"

#include <algorithm>
#include <array>
#include <regex>

namespace sluice {
namespace {

constexpr std::size_t kLargest = 10'000;  // subschemas, references written out

constexpr std::array kUnderstood{"type",
                                 "properties",
                                 "additionalProperties",
                                 "required",
                                 "items",
                                 "enum",
                                 "const",
                                 "default",
                                 "minimum",
                                 "maximum",
                                 "exclusiveMinimum",
                                 "exclusiveMaximum",
                                 "multipleOf",
                                 "minLength",
                                 "maxLength",
                                 "pattern",
                                 "minItems",
                                 "maxItems",
                                 "uniqueItems",
                                 "minProperties",
                                 "maxProperties",
                                 "propertyNames",
                                 "allOf",
                                 "anyOf",
                                 "oneOf",
                                 "not",
                                 "if",
                                 "then",
                                 "else",
                                 "$ref",
                                 "definitions",
                                 "$defs",
                                 "$schema",
                                 "$comment",
                                 "title",
                                 "description",
                                 "examples",
                                 "writeOnly",
                                 "readOnly",
                                 "deprecated",
                                 "x-unit",
                                 "x-fan-out"};

/// The dialect in which the schema library will read it.
bool is_regex(const std::string& pattern) {
  try {
    const std::regex compiled(pattern);
    return true;
  } catch (const std::regex_error&) {
    return false;
  }
}

/// Looks at every schema inside the schema.
class Vetting {
 public:
  explicit Vetting(const Value& root) : root_(root) {}

  std::optional<std::string> schema(const Value& schema, const std::string& path, std::size_t depth) {
    if (schema.kind == Value::Kind::boolean) return {};
    if (!schema.is_map()) return path + " is no schema";
    if (++visited_ > kLargest) return path + " is too large once its references are written out";
    if (depth > kDeepestSchema)
      return path + " is nested deeper than " + std::to_string(kDeepestSchema) + " levels or refers to itself";
    for (const auto& [key, value] : schema.map) {
      if (std::ranges::find(kUnderstood, key) == kUnderstood.end()) {
        return path + " uses the keyword \"" + key + "\", which this host does not check";
      }
      if (auto why = keyword(key, value, path + "/" + key, depth)) return why;
    }
    return {};
  }

 private:
  std::optional<std::string> keyword(const std::string& key, const Value& value, const std::string& path,
                                     std::size_t depth) {
    if (key == "$ref") {
      if (!value.is_text() || !value.string.starts_with("#/")) return path + " must start with #/";
      const Value* target = pointed_at(root_, value.string);
      if (target == nullptr) return path + " refers to nothing: " + value.string;
      return schema(*target, value.string, depth + 1);
    }
    if (key == "pattern" && !is_regex(value.string)) return path + " is no regular expression: " + value.string;
    if (key == "x-unit" && value.string != "ms" && value.string != "bytes")
      return path + " must be \"ms\" or \"bytes\"";
    if (key == "properties" || key == "definitions" || key == "$defs") {
      for (const auto& [name, sub] : value.map) {
        if (auto why = schema(sub, path + "/" + name, depth + 1)) return why;
      }
    } else if (key == "allOf" || key == "anyOf" || key == "oneOf") {
      for (const Value& sub : value.list) {
        if (auto why = schema(sub, path, depth + 1)) return why;
      }
    } else if (key == "items" || key == "not" || key == "if" || key == "then" || key == "else" ||
               key == "additionalProperties" || key == "propertyNames") {
      return schema(value, path, depth + 1);
    }
    return {};
  }

  const Value& root_;
  std::size_t visited_ = 0;
};

}  // namespace

std::optional<std::string> why_unusable(const Value& schema) { return Vetting(schema).schema(schema, "#", 0); }

}  // namespace sluice
