#include "schema_terms.hh"

#include "schema_paths.hh"

#include <algorithm>
#include <array>
#include <regex>
#include <set>

namespace validation {
namespace {

using Kind = JsonTree::Kind;

constexpr std::array kPlain{"minimum",   "maximum",   "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
                            "minLength", "maxLength", "minItems",         "maxItems",         "uniqueItems",
                            "const",     "enum",      "minProperties",    "maxProperties",    "required",
                            "type"};
constexpr std::array kNotes{"$schema",         "$id",       "$comment", "title",  "description", "default",
                            "examples",        "writeOnly", "readOnly", "format", "deprecated",  "contentEncoding",
                            "contentMediaType"};
constexpr std::array kInPlace{"not", "if", "then", "else"};
constexpr std::array kInPlaceLists{"allOf", "anyOf", "oneOf"};
constexpr std::array kInside{"contains", "propertyNames", "additionalProperties"};
constexpr std::array kTypes{"null", "boolean", "object", "array", "number", "integer", "string"};

template <class Words>
bool among(const Words& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](const char* one) { return word == one; });
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) { throw BadSchema("#" + path + " " + why); }

/// How many times a pattern may be written out by its counted repetitions, at most.
bool repeats_too_often(const std::string& pattern) {
  std::size_t product = 1;
  for (std::size_t i = pattern.find('{'); i != std::string::npos; i = pattern.find('{', i + 1)) {
    std::size_t number = 0, largest = 1;
    for (std::size_t at = i + 1; at < pattern.size() && pattern[at] != '}'; ++at) {
      number = pattern[at] >= '0' && pattern[at] <= '9' && number < 10'000
                   ? number * 10 + static_cast<std::size_t>(pattern[at] - '0')
                   : 0;
      largest = std::max(largest, number);
    }
    product *= largest;
    if (product > 1000) return true;
  }
  return false;
}

void check_pattern(const JsonTree& value, const std::string& path) {
  if (!value.is(Kind::text)) refuse(path, "is no text");
  if (value.text.size() > kPatternBytesMax)
    refuse(path, "is longer than " + std::to_string(kPatternBytesMax) + " bytes");
  if (repeats_too_often(value.text)) refuse(path, "repeats more than 1000 times: {n} within {n} multiplies");
  try {
    const std::regex compiled(value.text, kPatternDialect);
  } catch (const std::regex_error&) {
    refuse(path, "is no regular expression that can be matched in linear time: " + value.text);
  }
}

void check_plain(const std::string& key, const JsonTree& value, const std::string& path) {
  const auto is_text = [](const JsonTree& one) { return one.is(Kind::text); };
  if (key == "type") {
    const auto known = [](const JsonTree& one) { return one.is(Kind::text) && among(kTypes, one.text); };
    const bool ok = value.is(Kind::list) ? std::all_of(value.items.begin(), value.items.end(), known) : known(value);
    if (!ok) refuse(path, "names no type of JSON");
  } else if (key == "required") {
    if (!value.is(Kind::list) || !std::all_of(value.items.begin(), value.items.end(), is_text))
      refuse(path, "is no list of names");
  } else if (key == "enum") {
    if (!value.is(Kind::list)) refuse(path, "is no list");
  } else if (key == "uniqueItems") {
    if (!value.is(Kind::boolean)) refuse(path, "is neither true nor false");
  } else if (key != "const" && !value.is(Kind::number)) {
    refuse(path, "is no number");
  }
}

/// Writes one schema in the library's words, and what is inside it.
class Writer {
 public:
  Writer(Draft draft, SchemaPaths& paths) : draft_(draft), paths_(paths) {}

  JsonTree schema(const JsonTree& from, const std::string& path, std::size_t depth) {
    if (!from.is_schema()) refuse(path, "is no schema");
    if (depth > kSchemaDepthMax) refuse(path, "is nested deeper than " + std::to_string(kSchemaDepthMax) + " levels");
    if (paths_.size() >= kSubschemasMax) refuse(path, "is too large: " + std::to_string(kSubschemasMax) + " schemas");
    paths_.add(path);
    if (from.is(Kind::boolean)) return from;
    JsonTree to;
    to.kind = Kind::map;
    if (const JsonTree* reference = from.find("$ref")) return with_reference(from, *reference, path, depth);
    for (const auto& [key, value] : from.members) keyword(from, to, key, value, path, depth);
    to.members.emplace_back(kBudgetWord, truth());
    return to;
  }

 private:
  static JsonTree truth() {
    JsonTree made;
    made.kind = Kind::boolean;
    made.truth = true;
    return made;
  }

  /// What stands beside a reference counts since 2019, and did not before.
  JsonTree with_reference(const JsonTree& from, const JsonTree& reference, const std::string& path, std::size_t depth) {
    if (!reference.is(Kind::text) || reference.text.empty() || reference.text[0] != '#' ||
        (reference.text.size() > 1 && reference.text[1] != '/'))
      refuse(path + "/$ref", "must begin with #/: other documents and anchors are not looked up");
    JsonTree here, rest;
    here.kind = rest.kind = Kind::map;
    for (const auto& [key, value] : from.members) {
      if (key == "$ref") continue;
      if (key == "$defs" || key == "definitions") {
        keyword(from, here, key, value, path, depth);
      } else if (draft_ == Draft::draft_2020_12 && !among(kNotes, key)) {
        rest.members.emplace_back(key, value);
      }
    }
    if (rest.members.empty()) {
      paths_.refer(path, reference.text);
      here.members.emplace_back("$ref", reference);
      return here;
    }
    JsonTree both;
    both.kind = Kind::list;
    JsonTree alone;
    alone.kind = Kind::map;
    alone.members.emplace_back("$ref", reference);
    const std::string first = path + "/allOf/0", second = path + "/allOf/1";
    both.items.push_back(schema(alone, first, depth + 1));
    both.items.push_back(schema(rest, second, depth + 1));
    paths_.in_place(path, first);
    paths_.in_place(path, second);
    here.members.emplace_back("allOf", std::move(both));
    return here;
  }

  void keyword(const JsonTree& from, JsonTree& to, const std::string& key, const JsonTree& value,
               const std::string& path, std::size_t depth) {
    const std::string place = path + "/" + key;
    const bool is_new = draft_ == Draft::draft_2020_12;
    if (key == "$id" && !path.empty()) refuse(place, "stands within a schema: only the whole document may have an $id");
    if (among(kNotes, key) || key.rfind("x-", 0) == 0) return;
    if (among(kPlain, key)) {
      check_plain(key, value, place);
      to.members.emplace_back(key, value);
    } else if (key == "pattern") {
      check_pattern(value, place);
      to.members.emplace_back(kPatternWord, value);
    } else if (key == "properties" || key == "$defs" || key == "definitions") {
      to.members.emplace_back(key, schemas_by_name(value, path, place, depth, key == "properties"));
    } else if (among(kInPlaceLists, key)) {
      to.members.emplace_back(key, list(value, path, place, depth, true));
    } else if (among(kInPlace, key)) {
      to.members.emplace_back(key, schema(value, place, depth + 1));
      paths_.in_place(path, place);
    } else if (among(kInside, key)) {
      to.members.emplace_back(key, schema(value, place, depth + 1));
      paths_.inside(path, place);
    } else if (key == "items" || key == "prefixItems" || key == "additionalItems") {
      items(from, to, key, value, path, depth);
    } else if ((key == "dependencies" && !is_new) ||
               (is_new && (key == "dependentRequired" || key == "dependentSchemas"))) {
      dependencies(to, value, path, place, depth);
    } else {
      refuse(place, "is a keyword that this module does not check: take it out, or name it x-… if it is a note");
    }
  }

  /// 2020-12 says prefixItems and items for what were items and additionalItems.
  void items(const JsonTree& from, JsonTree& to, const std::string& key, const JsonTree& value, const std::string& path,
             std::size_t depth) {
    const bool is_new = draft_ == Draft::draft_2020_12;
    if (is_new && key == "additionalItems") refuse(path + "/" + key, "is a word of draft 7: 2020-12 says items");
    if (!is_new && key == "prefixItems") refuse(path + "/" + key, "is a word of 2020-12: say so with $schema");
    const bool is_list = key == "prefixItems" || (!is_new && key == "items" && value.is(Kind::list));
    const std::string word = is_new && key == "items" && from.find("prefixItems") != nullptr ? "additionalItems"
                             : key == "prefixItems"                                          ? "items"
                                                                                             : key;
    const std::string place = path + "/" + word;
    if (is_list) {
      to.members.emplace_back(word, list(value, path, place, depth, false));
    } else {
      to.members.emplace_back(word, schema(value, place, depth + 1));
      paths_.inside(path, place);
    }
  }

  JsonTree list(const JsonTree& value, const std::string& path, const std::string& place, std::size_t depth,
                bool is_in_place) {
    if (!value.is(Kind::list) || value.items.empty()) refuse(place, "is no list of schemas");
    JsonTree made;
    made.kind = Kind::list;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const std::string one = place + "/" + std::to_string(i);
      made.items.push_back(schema(value.items[i], one, depth + 1));
      is_in_place ? paths_.in_place(path, one) : paths_.inside(path, one);
    }
    return made;
  }

  JsonTree schemas_by_name(const JsonTree& value, const std::string& path, const std::string& place, std::size_t depth,
                           bool is_used) {
    if (!value.is(Kind::map)) refuse(place, "is no map of schemas");
    JsonTree made;
    made.kind = Kind::map;
    for (const auto& [name, one] : value.members) {
      const std::string at = place + "/" + pointer_escaped(name);
      made.members.emplace_back(name, schema(one, at, depth + 1));
      if (is_used) paths_.inside(path, at);
    }
    return made;
  }

  void dependencies(JsonTree& to, const JsonTree& value, const std::string& path, const std::string& place,
                    std::size_t depth) {
    if (!value.is(Kind::map)) refuse(place, "is no map");
    auto there = std::find_if(to.members.begin(), to.members.end(),
                              [](const auto& member) { return member.first == "dependencies"; });
    if (there == to.members.end()) {
      there = to.members.emplace(there, "dependencies", JsonTree{});
      there->second.kind = Kind::map;
    }
    JsonTree& made = there->second;
    std::set<std::string> taken;
    for (const JsonMember& member : made.members) taken.insert(member.first);
    for (const auto& [name, one] : value.members) {
      if (taken.count(name) != 0)
        refuse(place, "and dependentRequired both name " + name + ": put one of them into allOf");
      if (one.is(Kind::list)) {
        check_plain("required", one, place + "/" + name);
        made.members.emplace_back(name, one);
        continue;
      }
      const std::string at = path + "/dependencies/" + pointer_escaped(name);
      made.members.emplace_back(name, schema(one, at, depth + 1));
      paths_.in_place(path, at);
    }
  }

  const Draft draft_;
  SchemaPaths& paths_;
};

Draft draft_of(const JsonTree& schema, Draft unsaid) {
  const JsonTree* said = schema.find("$schema");
  if (said == nullptr) return unsaid;
  const auto names = [&](std::string_view part) { return said->text.find(part) != std::string::npos; };
  if (said->is(Kind::text) && (names("draft-07") || names("draft-06"))) return Draft::draft_7;
  if (said->is(Kind::text) && names("2020-12")) return Draft::draft_2020_12;
  refuse("/$schema", "must be draft-06, draft-07 or 2020-12");
}

}  // namespace

SchemaTerms schema_terms(const JsonTree& schema, Draft unsaid) {
  SchemaPaths paths;
  SchemaTerms terms;
  terms.schema = Writer(draft_of(schema, unsaid), paths).schema(schema, "", 0);
  terms.needs_budget = paths.check_and_weigh();
  return terms;
}

}  // namespace validation
