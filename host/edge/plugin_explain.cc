// `sluice plugin explain`: a class's JSON Schema as a table for people. A schema is JSON and so YAML too: the YAML
// reader makes the tree, in the order in which the author wrote it.
#include "core/exit_code.hh"
#include "core/suggest.hh"
#include "edge/host_classes.hh"
#include "edge/plugin_commands.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_tables.hh"
#include "edge/yaml_reader.hh"

#include <sluice/module.h>

#include <algorithm>
#include <iomanip>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t kDepthMax = 16;

struct Row {
  std::string key, type, help;
};

std::string text_of(const Value* value) {
  if (value == nullptr) return {};
  return value->kind == Value::Kind::string ? value->string : to_json(*value);
}

std::string type_of(const Value& schema) {
  std::string type = text_of(schema.find("type"));
  if (const Value* choices = schema.find("enum")) {
    type.clear();
    for (const Value& choice : choices->list) type += (type.empty() ? "" : " | ") + text_of(&choice);
  }
  if (const Value* items = schema.find("items"); items != nullptr && type == "array")
    type = "list of " + type_of(*items);
  if (type.empty()) type = "any";
  if (const std::string unit = text_of(schema.find("x-unit")); unit == "ms")
    type = "duration";
  else if (unit == "bytes")
    type = "size";
  if (type == "string") type = "text";
  if (type == "object") type = "map";
  return type;
}

bool is_true(const Value* value) { return value != nullptr && value->kind == Value::Kind::boolean && value->boolean; }

std::string help_of(const Value& schema, bool required) {
  std::string help = text_of(schema.find("description"));
  const auto add = [&](const std::string& fact) { help += (help.empty() ? "" : " ") + ("(" + fact + ")"); };
  if (required) add("required");
  if (const Value* fallback = schema.find("default")) add("default " + to_json(*fallback));
  const std::string least = text_of(schema.find("minimum")), most = text_of(schema.find("maximum"));
  if (!least.empty() && !most.empty())
    add(least + " to " + most);
  else if (!least.empty())
    add("at least " + least);
  else if (!most.empty())
    add("at most " + most);
  if (is_true(schema.find("writeOnly"))) add("secret: never printed");
  if (is_true(schema.find("x-fan-out"))) add("one lane for each");
  return help;
}

void add_rows(const Value& schema, const std::string& prefix, std::size_t depth, std::vector<Row>& rows) {
  const Value* properties = schema.find("properties");
  if (properties == nullptr || depth > kDepthMax) return;
  const Value* required = schema.find("required");
  for (const auto& [key, member] : properties->map) {
    const bool must =
        required != nullptr && std::any_of(required->list.begin(), required->list.end(),
                                           [&, k = &key](const Value& name) { return name.string == *k; });
    rows.push_back({prefix + key, type_of(member), help_of(member, must)});
    add_rows(member, prefix + key + ".", depth + 1, rows);
    if (const Value* items = member.find("items")) add_rows(*items, prefix + key + "[].", depth + 1, rows);
  }
}

void print_flags(const ClassDescription& one, std::ostream& out) {
  static constexpr std::pair<std::uint32_t, const char*> kSentences[] = {
      {SLUICE_OBSERVER, "an observer: watches on a thread of its own and never delays delivery"},
      {SLUICE_DURABLE,
       "its queue is on disk, so that a kill loses nothing of it, unless `queue: lossy` says otherwise"},
      {SLUICE_EMITS, "writes events of its own"},
      {SLUICE_REENTRANT, "judges events of several sources at the same time"},
      {SLUICE_IN_ORDER, "is told in order what became of its records"},
      {SLUICE_REPLICABLE, "can run several times from one configuration"},
      {SLUICE_CANNOT_HOLD, "cannot be asked again: what is left at the end is written to a file"},
  };
  for (const auto& [flag, sentence] : kSentences) {
    if ((one.flags & flag) != 0) out << "- " << sentence << '\n';
  }
  if (one.ports.empty()) return;
  out << "output ports: " << one.name << " (passed on)";
  for (const std::string& port : one.ports) out << ", " << one.name << '.' << port;
  out << '\n';
}

/// False when its schema cannot be read.
bool explain(const ClassDescription& one, std::ostream& out) {
  out << to_text(one.kind) << ' ' << one.name << ' ' << one.version << " (" << one.module_path << ")\n"
      << one.summary << '\n';
  print_flags(one, out);
  Problems problems;
  const auto schema = read_yaml(one.schema_json, one.module_path, problems);
  if (!schema) {
    out << "its schema cannot be read: " << (problems.empty() ? "no JSON" : problems.front().text) << '\n';
    return false;
  }
  std::vector<Row> rows;
  add_rows(*schema, "", 0, rows);
  out << (rows.empty() ? "\nconfig: no keys\n" : "\nconfig:\n");
  std::size_t key_width = 0, type_width = 0;
  for (const Row& row : rows) {
    key_width = std::max(key_width, row.key.size());
    type_width = std::max(type_width, std::min<std::size_t>(row.type.size(), 24));
  }
  for (const Row& row : rows) {
    out << "  " << std::left << std::setw(static_cast<int>(key_width)) << row.key << "  "
        << std::setw(static_cast<int>(type_width)) << row.type << "  " << row.help << '\n';
  }
  return true;
}

}  // namespace

int plugin_explain(const std::string& class_name, const std::vector<std::string>& search_path, std::ostream& out) {
  PluginLibrary library(search_path);
  add_host_classes(library);
  if (library.find(class_name) == nullptr) {
    out << "no module offers the class '" << class_name << "'";
    const std::string hint = suggestion(class_name, library.names());
    if (!hint.empty()) out << ": " << hint;
    out << "\nlooked in " << library.where_looked() << '\n';
    return kBadConfig;
  }
  bool readable = true, first = true;
  for (const NodeKind kind : {NodeKind::source, NodeKind::consumer, NodeKind::backend}) {
    const ClassDescription* one = library.find(kind, class_name);
    if (one == nullptr) continue;
    if (!std::exchange(first, false)) out << '\n';
    readable = explain(*one, out) && readable;
  }
  return readable ? kClean : kBadConfig;
}

}  // namespace sluice
