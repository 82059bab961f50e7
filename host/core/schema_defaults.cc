#include "core/schema_defaults.hh"

#include "core/map_reader.hh"
#include "core/scalar.hh"
#include "core/schema_steps.hh"
#include "core/suggest.hh"
#include "core/units.hh"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::size_t kDeepest = kDeepestSchema;
constexpr std::size_t kLongestMatched = 1024;  // bytes: `pattern` runs on the standard library's regex, which recurses

std::vector<std::string> types_of(const Value& schema) {
  std::vector<std::string> types;
  const Value* type = schema.find("type");
  if (type == nullptr) return types;
  if (type->is_text()) types.push_back(type->string);
  for (const Value& one : type->list) types.push_back(one.string);
  return types;
}

bool accepts(const Value& schema, const Value& value) {
  const auto types = types_of(schema);
  return types.empty() || std::ranges::any_of(types, [&](const std::string& type) {
           switch (value.kind) {
             case Value::Kind::null:
               return type == "null";
             case Value::Kind::boolean:
               return type == "boolean";
             case Value::Kind::integer:
               return type == "integer" || type == "number";
             case Value::Kind::number:
               return type == "number";
             case Value::Kind::string:
               return type == "string" || schema.find("x-unit") != nullptr;
             case Value::Kind::list:
               return type == "array";
             case Value::Kind::map:
               return type == "object";
           }
           return false;
         });
}

class Walk {
 public:
  Walk(const Value& root, Problems& problems) : root_(root), problems_(problems) {}

  void value(const Value* schema, Value& value, const std::string& path, std::size_t depth) {
    schema = resolve(root_, schema);
    if (schema == nullptr || !schema->is_map() || depth > kDeepest) return;
    if (const Value* unit = schema->find("x-unit"); unit != nullptr) resolve_unit(*unit, value, path);
    take_wanted_type(*schema, value);
    if (value.is_text() && schema->find("pattern") != nullptr && value.string.size() > kLongestMatched) {
      complain(problems_, value, path, "is longer than " + std::to_string(kLongestMatched) + " bytes");
      value.string.resize(kLongestMatched);
    }
    if (value.is_map()) members(*schema, value, path, depth);
    if (value.is_list()) elements(*schema, value, path, depth);
    branches(*schema, value, path, depth);
  }

 private:
  void resolve_unit(const Value& unit, Value& value, const std::string& path) {
    if (!value.is_text()) return;
    if (take_type(value, Value::Kind::integer)) return;
    const bool bytes = unit.string == "bytes";
    std::optional<std::int64_t> number;
    if (bytes) {
      if (const auto size = parse_size(value.string)) number = static_cast<std::int64_t>(*size);
    } else if (const auto duration = parse_duration(value.string)) {
      number = duration->count();
    }
    if (!number) {
      complain(problems_, value, path,
               std::string("must be ") + (bytes ? kSizeHint : kDurationHint) +
                   (bytes ? ", or bytes as a plain number, " : ", or milliseconds as a plain number, ") +
                   but_is(value));
      number = 0;
    }
    Value made = make_integer(*number, value);
    made.interpolated = value.interpolated;
    made.secret = value.secret;
    value = std::move(made);
  }

  void take_wanted_type(const Value& schema, Value& value) {
    if (!value.whole_reference || !value.is_text()) return;
    const auto types = types_of(schema);
    if (types.empty() || std::ranges::find(types, "string") != types.end()) return;
    for (const std::string& type : types) {
      if (type == "boolean" && take_type(value, Value::Kind::boolean)) return;
      if (type == "integer" && take_type(value, Value::Kind::integer)) return;
      if (type == "number" && take_type(value, Value::Kind::number)) return;
    }
  }

  void members(const Value& schema, Value& value, const std::string& path, std::size_t depth) {
    const Value* properties = schema.find("properties");
    if (const Value* rest = schema.find("additionalProperties");
        rest != nullptr && rest->kind == Value::Kind::boolean && !rest->boolean) {
      std::vector<std::string> known;
      if (properties != nullptr) {
        for (const auto& property : properties->map) known.push_back(property.first);
      }
      for (const auto& [key, member] : value.map) {
        if (std::ranges::find(known, key) != known.end()) continue;
        complain_at_key(problems_, member, path + "." + key,
                        "unknown key; " + (known.empty() ? "it takes none" : suggestion(key, known)));
      }
    }
    if (properties != nullptr) {
      for (const auto& [key, sub] : properties->map) {
        const Value* schema_of = resolve(root_, &sub);
        const Value* by_default = schema_of == nullptr ? nullptr : schema_of->find("default");
        if (by_default == nullptr || value.find(key) != nullptr) continue;
        Value filled = *by_default;
        place(filled, value);
        value.put(key, std::move(filled));
      }
    }
    for (auto& [key, member] : value.map) {
      this->value(member_schema(root_, schema, key), member, path + "." + key, depth + 1);
    }
  }

  void elements(const Value& schema, Value& value, const std::string& path, std::size_t depth) {
    const Value* items = schema.find("items");
    if (items == nullptr || !items->is_map()) return;
    for (std::size_t i = 0; i < value.list.size(); ++i) {
      this->value(items, value.list[i], path + "[" + std::to_string(i) + "]", depth + 1);
    }
  }

  /// All of allOf; of anyOf and oneOf the first branch whose type fits.
  void branches(const Value& schema, Value& value, const std::string& path, std::size_t depth) {
    if (const Value* all = schema.find("allOf"); all != nullptr) {
      for (const Value& branch : all->list) this->value(&branch, value, path, depth + 1);
    }
    for (const char* key : {"anyOf", "oneOf"}) {
      const Value* some = schema.find(key);
      if (some == nullptr) continue;
      for (const Value& branch : some->list) {
        const Value* resolved = resolve(root_, &branch);
        if (resolved == nullptr || !accepts(*resolved, value)) continue;
        this->value(resolved, value, path, depth + 1);
        break;
      }
    }
  }

  /// A default stands where its map stands.
  static void place(Value& value, const Value& where) {
    value.mark = where.mark;
    value.file = where.file;
    for (Value& member : value.list) place(member, where);
    for (auto& [key, member] : value.map) place(member, where);
  }

  const Value& root_;
  Problems& problems_;
};

}  // namespace

void apply_schema(const Value& schema, Value& config, const std::string& path, Problems& problems) {
  Walk(schema, problems).value(&schema, config, path, 0);
}

const Value* schema_at(const Value& schema, const std::vector<std::string>& keys) {
  const Value* here = resolve(schema, &schema);
  for (const std::string& key : keys) {
    if (here == nullptr) return nullptr;
    const Value* items = here->find("items");
    const bool position = !key.empty() && key.find_first_not_of("0123456789") == std::string::npos;
    const Value* member = member_schema(schema, *here, key);
    here = member != nullptr ? member : position ? resolve(schema, items) : nullptr;
  }
  return here;
}

std::string fan_out_key(const Value& schema) {
  const Value* properties = schema.find("properties");
  if (properties == nullptr) return {};
  for (const auto& [key, sub] : properties->map) {
    if (const Value* resolved = resolve(schema, &sub); resolved != nullptr && flag(*resolved, "x-fan-out")) return key;
  }
  return {};
}

std::string wanted_text(const Value& schema) {
  if (const Value* choices = schema.find("enum"); choices != nullptr) {
    std::string text = "one of ";
    for (const Value& choice : choices->list) text += (&choice == &choices->list.front() ? "" : ", ") + choice.string;
    return text;
  }
  std::string text;
  for (const std::string& type : types_of(schema)) {
    text += text.empty() ? "" : " or ";
    if (type == "string")
      text += "text";
    else if (type == "integer")
      text += "a whole number";
    else if (type == "number")
      text += "a number";
    else if (type == "boolean")
      text += "true or false";
    else if (type == "array")
      text += "a list";
    else if (type == "object")
      text += "a map of keys";
    else
      text += type;
  }
  std::string bounds;
  const auto bound = [&](const char* key, const char* words) {
    const Value* value = schema.find(key);
    if (value != nullptr) bounds += (bounds.empty() ? " " : " and ") + std::string(words) + " " + value->string;
  };
  bound("minimum", "of at least");
  bound("exclusiveMinimum", "of more than");
  bound("maximum", "of at most");
  bound("exclusiveMaximum", "of less than");
  bound("multipleOf", "that is a multiple of");
  bound("maxLength", "with a length of at most");
  bound("minItems", "with a count of at least");
  bound("maxItems", "with a count of at most");
  bound("pattern", "that matches");
  const Value* shortest = schema.find("minLength");
  if (shortest != nullptr && shortest->integer == 1) bounds += " that is not empty";
  if (shortest != nullptr && shortest->integer > 1) bound("minLength", "with a length of at least");
  text += bounds;
  return text;
}

}  // namespace sluice
