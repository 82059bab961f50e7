#include "registry_answer.hh"

#include "compiled_schema.hh"
#include "registry_paths.hh"
#include "schema_paths.hh"

#include <map>
#include <optional>
#include <system_error>

namespace validation {
namespace {

using Kind = JsonTree::Kind;
constexpr std::size_t kReferencesMax = 64, kReferenceDepthMax = 16, kWhyBytesMax = 200;

struct Reference {
  std::string name, path;
};
struct Answer {
  std::string subject, schema;
  std::uint32_t id = 0, version = 0;
  std::vector<Reference> references;
};

[[noreturn]] void fail(FetchFailure failure, std::string why) { throw FetchError{failure, std::move(why)}; }

std::string text_at(const JsonTree& tree, std::string_view key) {
  const JsonTree* value = tree.find(key);
  return value != nullptr && value->is(Kind::text) ? value->text : std::string();
}

std::uint32_t number_at(const JsonTree& tree, std::string_view key) {
  const JsonTree* value = tree.find(key);
  if (value == nullptr || !value->is(Kind::number)) return 0;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(value->text.data(), value->text.data() + value->text.size(), number);
  return error == std::errc() && end == value->text.data() + value->text.size() ? number : 0;
}

std::optional<JsonTree> map_in(std::string_view body) {
  try {
    JsonTree tree = json_tree(body);
    if (tree.is(Kind::map)) return tree;
  } catch (const BadSchema&) {
  }
  return std::nullopt;
}

std::string printable(std::string text) {
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  if (text.size() > kWhyBytesMax) text.resize(kWhyBytesMax);
  return text;
}

[[noreturn]] void refuse_status(const HttpReply& reply) {
  const std::optional<JsonTree> said = map_in(reply.body);
  const std::string message = said ? printable(text_at(*said, "message")) : std::string();
  const std::string told = "it answers " + std::to_string(reply.status) + (message.empty() ? "" : ": " + message);
  if (reply.status == 401 || reply.status == 403) {
    fail(FetchFailure::denied, told + "; check username and password, or token");
  }
  if (reply.status == 404) {
    // A registry says which part was not found; another server says only that there is no such page.
    const std::uint32_t code = said ? number_at(*said, "error_code") : 0;
    if (code / 100 == 404) fail(FetchFailure::not_found, told);
    fail(FetchFailure::bad_answer, told + "; is the url that of a schema registry?");
  }
  if (reply.status == 429 || reply.status >= 500) fail(FetchFailure::away, told);
  fail(FetchFailure::bad_answer, told + "; is the url that of a schema registry?");
}

Answer read_answer(const HttpReply& reply) {
  if (reply.status == 0) fail(reply.timed_out ? FetchFailure::slow : FetchFailure::away, printable(reply.error));
  if (reply.status != 200) refuse_status(reply);
  const std::optional<JsonTree> said = map_in(reply.body);
  const JsonTree* schema = said ? said->find("schema") : nullptr;
  if (schema == nullptr || !schema->is(Kind::text)) {
    fail(FetchFailure::bad_answer, "what it answers holds no schema; is the url that of a schema registry?");
  }
  Answer answer{text_at(*said, "subject"), schema->text, number_at(*said, "id"), number_at(*said, "version"), {}};
  const std::string type = said->find("schemaType") == nullptr ? "AVRO" : printable(text_at(*said, "schemaType"));
  if (type != "JSON")
    fail(FetchFailure::bad_schema, "is of type " + type + ", which is not supported: only JSON schemas are compared");
  const JsonTree* references = said->find("references");
  if (references == nullptr || !references->is(Kind::list)) return answer;
  for (const JsonTree& one : references->items) {
    Reference reference{text_at(one, "name"), {}};
    subject_path(reference.path, text_at(one, "subject"), std::to_string(number_at(one, "version")));
    answer.references.push_back(std::move(reference));
  }
  return answer;
}

JsonTree tree_of_schema(const Answer& answer) {
  try {
    return json_tree(answer.schema);
  } catch (const BadSchema& why) {
    fail(FetchFailure::bad_schema, why.what());
  }
}

/// Gathers a schema and what it refers to. Each referred schema comes once, under #/$defs/registered-N.
class Gathering {
 public:
  explicit Gathering(const std::function<HttpReply(const std::string&)>& get) : get_(get) {}

  std::string bundle(const Answer& root) {
    bytes_ = root.schema.size();
    JsonTree tree = tree_of_schema(root);
    if (root.references.empty()) return root.schema;
    if (!tree.is(Kind::map)) return root.schema;
    is_new_ = text_at(tree, "$schema").find("2020-12") != std::string::npos;
    const std::map<std::string, std::string> names = gather(root.references, 1);
    rewrite(tree, "#", names);
    JsonTree* defs = nullptr;
    for (JsonMember& member : tree.members) {
      if (member.first == "$defs") defs = &member.second;
    }
    if (defs == nullptr) {
      defs = &tree.members.emplace_back("$defs", JsonTree{}).second;
      defs->kind = Kind::map;
    }
    if (!defs->is(Kind::map)) fail(FetchFailure::bad_schema, "#/$defs is no map of schemas");
    for (auto& [key, part] : parts_) {
      if (defs->find(key) != nullptr)
        fail(FetchFailure::bad_schema, "#/$defs/" + key + " is a name that is needed here");
      defs->members.emplace_back(key, std::move(part));
    }
    std::string text;
    append_json(text, tree);
    return text;
  }

 private:
  /// By the name that a $ref uses: where it stands in the bundle.
  std::map<std::string, std::string> gather(const std::vector<Reference>& references, std::size_t depth) {
    if (depth > kReferenceDepthMax) {
      fail(FetchFailure::bad_schema, "refers to schemas more than " + std::to_string(kReferenceDepthMax) + " in a row");
    }
    std::map<std::string, std::string> names;
    for (const Reference& reference : references) {
      auto known = keys_.find(reference.path);
      if (known == keys_.end()) {
        if (keys_.size() >= kReferencesMax) {
          fail(FetchFailure::bad_schema, "refers to more than " + std::to_string(kReferencesMax) + " schemas");
        }
        known = keys_.emplace(reference.path, "registered-" + std::to_string(keys_.size() + 1)).first;
        add_part(reference, known->second, depth);
      }
      names[reference.name] = "#/$defs/" + known->second;
    }
    return names;
  }

  void add_part(const Reference& reference, const std::string& key, std::size_t depth) {
    Answer answer;
    try {
      answer = read_answer(get_(reference.path));
    } catch (FetchError& error) {
      error.why = "the schema it refers to as " + printable(reference.name) + " (" + reference.path + "): " + error.why;
      throw;
    }
    bytes_ += answer.schema.size();
    if (bytes_ > kSchemaBytesMax) fail(FetchFailure::bad_schema, "is larger than 1 MiB with what it refers to");
    JsonTree tree = tree_of_schema(answer);
    const std::string draft = text_at(tree, "$schema");
    if (!draft.empty() && (draft.find("2020-12") != std::string::npos) != is_new_) {
      fail(FetchFailure::bad_schema, "refers to a schema of another draft: " + printable(reference.name));
    }
    std::erase_if(tree.members, [](const JsonMember& one) { return one.first == "$id" || one.first == "$schema"; });
    rewrite(tree, "#/$defs/" + key, gather(answer.references, depth + 1));
    parts_.emplace_back(key, std::move(tree));
  }

  static bool is_data(std::string_view key) {
    return key == "const" || key == "enum" || key == "default" || key == "examples";
  }
  static bool holds_schemas_by_name(std::string_view key) {
    return key == "properties" || key == "$defs" || key == "definitions" || key == "patternProperties" ||
           key == "dependencies" || key == "dependentSchemas";
  }

  /// Makes each $ref lead to where its target stands in the bundle. What it cannot place stays, and is refused later.
  static void rewrite(JsonTree& schema, const std::string& here, const std::map<std::string, std::string>& names) {
    for (JsonTree& item : schema.items) rewrite(item, here, names);
    for (JsonMember& member : schema.members) {
      if (member.first == "$ref" && member.second.is(Kind::text)) {
        std::string& reference = member.second.text;
        const std::size_t hash = std::min(reference.find('#'), reference.size());
        const std::string fragment = reference.size() > hash ? reference.substr(hash + 1) : std::string();
        const auto named = names.find(reference.substr(0, hash));
        const bool is_pointer = fragment.empty() || fragment.front() == '/';
        if (is_pointer && hash == 0) reference = here + fragment;
        if (is_pointer && hash > 0 && named != names.end()) reference = named->second + fragment;
      } else if (holds_schemas_by_name(member.first) && member.second.is(Kind::map)) {
        for (JsonMember& one : member.second.members) rewrite(one.second, here, names);
      } else if (!is_data(member.first)) {
        rewrite(member.second, here, names);
      }
    }
  }

  const std::function<HttpReply(const std::string&)>& get_;
  std::map<std::string, std::string> keys_;  // by path
  std::vector<std::pair<std::string, JsonTree>> parts_;
  std::size_t bytes_ = 0;
  bool is_new_ = false;
};

}  // namespace

const char* word_of(FetchFailure failure) noexcept {
  constexpr const char* kWords[kFetchFailures] = {"ok",   "not_found",  "denied",    "away",
                                                  "slow", "bad_answer", "bad_schema"};
  return kWords[static_cast<std::size_t>(failure)];
}

std::string name_of(const FetchedSchema& fetched, std::string_view path) {
  if (fetched.subject.empty()) return "schema " + std::string(path.substr(path.rfind('/') + 1)) + " of the registry";
  return "subject " + fetched.subject + (fetched.version == 0 ? "" : " version " + std::to_string(fetched.version));
}

FetchedSchema fetch_schema(const std::string& path, const std::function<HttpReply(const std::string&)>& get) {
  const Answer answer = read_answer(get(path));
  if (answer.schema.size() > kSchemaBytesMax) fail(FetchFailure::bad_schema, "is larger than 1 MiB");
  return {answer.subject, answer.id, answer.version, Gathering(get).bundle(answer)};
}

std::string compatibility_in(std::string_view body) {
  const std::optional<JsonTree> said = map_in(body);
  if (!said) return {};
  const std::string level = text_at(*said, "compatibilityLevel");
  return level.empty() ? text_at(*said, "compatibility") : level;
}

}  // namespace validation
