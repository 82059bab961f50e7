#include "edge/config_loader.hh"

#include "core/events_dialect.hh"
#include "core/native_format.hh"
#include "core/observer_queue.hh"
#include "core/scalar.hh"
#include "core/set_value.hh"
#include "core/suggest.hh"
#include "core/wiring.hh"
#include "edge/schema_check.hh"
#include "edge/surroundings.hh"
#include "edge/yaml_reader.hh"

#include <algorithm>
#include <filesystem>

namespace sluice {
namespace {

void take_place(Value& value) {
  value.file = kSetFile;
  value.mark = value.key_mark = {};
  for (Value& member : value.list) take_place(member);
  for (auto& [key, member] : value.map) take_place(member);
}

/// A --set value: a YAML scalar, or a list or map in YAML's flow style. Anything else is text as it stands.
Value set_text(const std::string& text, const std::string& path, Problems& problems) {
  Value value;
  value.string = text;
  if (!text.empty() && std::string_view("[{\"'").find(text[0]) != std::string_view::npos) {
    const std::size_t before = problems.size();
    auto read = read_yaml(text, kSetFile, problems);
    for (std::size_t i = before; i < problems.size(); ++i) problems[i].path = path;
    if (read) value = std::move(*read);
  } else if (text.empty()) {
    value.kind = Value::Kind::string;
  } else {
    type_scalar(value);
  }
  take_place(value);
  return value;
}

void apply_sets(Value& root, const std::vector<std::string>& sets, Problems& problems) {
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems.push_back(
          {kSetFile, {}, set, "must be path=value, such as backends.log.config.path=out.jsonl", Severity::error});
      continue;
    }
    const std::string path = set.substr(0, equals);
    if (const auto why = set_value(root, path, set_text(set.substr(equals + 1), path, problems))) {
      problems.push_back({kSetFile, {}, path, *why, Severity::error});
    }
  }
}

/// In a settings file, what is wrong in other programs' sections is not ours to refuse.
void drop_foreign(Problems& problems, std::size_t first) {
  const auto foreign = [](const Problem& problem) {
    return !problem.path.empty() && !is_our_section(problem.path.substr(0, problem.path.find_first_of(".[")));
  };
  problems.erase(std::remove_if(problems.begin() + static_cast<std::ptrdiff_t>(first), problems.end(), foreign),
                 problems.end());
}

Config read_dialect(const Value& root, const LoadOptions& options, Problems& problems) {
  const ProcessSurroundings surroundings;
  Lowered lowered = lower_events(root, surroundings, options.stdin_source, problems);
  if (lowered.disabled.empty()) {
    Config config = read_native(lowered.native, {}, problems);
    config.events_dialect = true;
    config.consumer = std::move(lowered.consumer);
    return config;
  }
  Config config = read_disabled(lowered.native, problems);
  config.events_dialect = true;
  config.disabled = lowered.disabled;
  problems.push_back({options.path, {}, "", lowered.disabled, Severity::note});
  return config;
}

/// `--set sources.stdin.format=…` configures the source that --stdin adds.
void name_stdin_class(Value& root) {
  Value* sources = root.find("sources");
  Value* source = sources == nullptr ? nullptr : sources->find("stdin");
  if (source == nullptr || source->file != kSetFile || !source->is_map() || source->find("class") != nullptr) return;
  source->put("class", make_string("stdin", *source));
}

void complete_plugin_path(Config& config) {
  for (std::string& folder : default_plugin_path()) {
    if (std::ranges::find(config.plugin_path, folder) == config.plugin_path.end()) {
      config.plugin_path.push_back(std::move(folder));
    }
  }
}

void check_class(NodeConfig& node, const ClassCatalog& catalog, Problems& problems) {
  if (node.klass.empty()) return;
  const ClassDescription* described = catalog.find(node.kind, node.klass);
  if (described == nullptr) described = catalog.find(node.klass);
  const auto refuse = [&](std::string text) {
    problems.push_back({node.file, node.klass_mark, node.path + ".class", std::move(text), Severity::error});
  };
  if (described == nullptr) {
    const std::string near = nearest(node.klass, catalog.names());
    return refuse("there is no class \"" + node.klass + "\"" +
                  (near.empty() ? "" : "; did you mean \"" + near + "\"?") + "; looked in " + catalog.where_looked());
  }
  if (described->kind != node.kind) {
    return refuse("class " + node.klass + " is a " + kind_text(described->kind) + " and belongs under " +
                  section_of(described->kind) + ":");
  }
  check_node_config(node, *described, problems);
}

}  // namespace

std::vector<std::string> default_plugin_path() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const auto folder = program.parent_path();
  std::vector<std::string> out;
  for (const auto& candidate : {folder / "plugins", folder.parent_path() / "lib" / "sluice" / "plugins"}) {
    out.push_back(candidate.string());
  }
  return out;
}

Config read_config(const LoadOptions& options, Problems& problems) {
  Config config;
  config.file = options.path;
  const std::size_t first = problems.size();
  auto root = read_yaml_file(options.path, problems);
  if (root && !root->is_map()) {
    complain(problems, *root, "", std::string("must be a map of keys, but is ") + kind_name(root->kind));
    root.reset();
  }
  if (root) {
    apply_sets(*root, options.sets, problems);
    if (is_events_dialect(*root)) {
      drop_foreign(problems, first);
      config = read_dialect(*root, options, problems);
    } else {
      if (options.stdin_source) name_stdin_class(*root);
      interpolate(*root, ProcessSurroundings(), "", problems);
      config = read_native(*root, {options.stdin_source}, problems);
    }
    config.file = options.path;
  }
  complete_plugin_path(config);
  return config;
}

namespace {

/// A class that can show size and age of what it keeps does so for dead letters.
void mark_keepers_of_letters(Config& config, const ClassCatalog& catalog) {
  constexpr const char* kKey = "holds_dead_letters";
  for (const NodeConfig& from : config.nodes) {
    if (from.delivery.dead_letter.empty()) continue;
    for (NodeConfig& node : config.nodes) {
      if (node.name != from.delivery.dead_letter || !node.config.is_map() || node.config.find(kKey) != nullptr)
        continue;
      const ClassDescription* described = catalog.find(node.kind, node.klass);
      if (described == nullptr || described->schema_json.find(std::string("\"") + kKey + "\"") == std::string::npos)
        continue;
      node.config.put(kKey, make_boolean(true, node.config));
    }
  }
}

}  // namespace

void check_classes(Config& config, const ClassCatalog& catalog, Problems& problems) {
  mark_keepers_of_letters(config, catalog);
  for (NodeConfig& node : config.nodes) {
    check_class(node, catalog, problems);
    if (!node.dedup) continue;
    for (NodeConfig& store : node.dedup->shared) {
      // Whether the class offers a key store is known only by asking it: create_key_store() does.
      check_class(store, catalog, problems);
    }
  }
  check_ports(config, catalog, problems);
  settle_observer_queues(config, catalog, problems);
}

Config load_config(const LoadOptions& options, const ClassCatalog& catalog, Problems& problems) {
  Config config = read_config(options, problems);
  check_classes(config, catalog, problems);
  return config;
}

}  // namespace sluice
