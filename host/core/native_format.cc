#include "core/native_format.hh"

#include "core/map_reader.hh"
#include "core/suggest.hh"
#include "core/wiring.hh"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::int64_t kFormatVersion = 1;
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kMostNodes = 1000;
constexpr std::uint64_t kLargestEvent = 64ull * 1024 * 1024;

bool legal_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= kLongestName && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

void read_limits(const Value* value, const std::string& path, Config& config, Problems& problems) {
  MapReader map(value, path, problems);
  if (const auto bytes = map.size("event_bytes", 1024, kLargestEvent)) config.limits.event_bytes = *bytes;
  if (const auto depth = map.integer("nesting", 2, 512)) config.limits.nesting = static_cast<std::uint32_t>(*depth);
  if (const auto events = map.integer("batch_events", 1, 1'000'000)) {
    config.limits.batch_events = static_cast<std::uint32_t>(*events);
  }
  if (const auto count = map.integer("attributes", 4, 1024)) {
    config.limits.attributes = static_cast<std::uint32_t>(*count);
  }
  map.done();
}

void read_log(const Value* value, const std::string& path, Config& config, Problems& problems) {
  MapReader map(value, path, problems);
  for (const auto& [key, names, out] :
       {std::tuple{"level", std::vector<std::string>{"debug", "info", "warn", "error"}, &config.log.level},
        std::tuple{"format", std::vector<std::string>{"auto", "human", "json"}, &config.log.format}}) {
    if (const auto chosen = map.choice_of(key, names)) *out = names[*chosen];
  }
  if (const auto events = map.boolean("events")) config.log.events = *events;
  if (const auto rate = map.integer("events_per_second", 1, 1'000'000)) {
    config.log.events_per_second = static_cast<std::uint32_t>(*rate);
  }
  map.done();
}

void read_version(MapReader& root, const Value& tree, Problems& problems) {
  if (tree.find("sluice") == nullptr) {
    complain(problems, tree, "sluice", "is missing: write \"sluice: 1\", the version of this format, at the top");
  }
  (void)root.integer("sluice", kFormatVersion, kFormatVersion);
}

class NodeNames {
 public:
  explicit NodeNames(Problems& problems) : problems_(problems) {}

  void add(const std::string& name, const Value& value, const std::string& path) {
    if (!legal_name(name)) {
      complain_at_key(problems_, value, path,
                      "is no legal name: use up to 64 letters, digits, _ and -, starting with a letter");
    }
    const auto same = std::ranges::find(seen_, name, [](const auto& s) { return s.first; });
    if (same != seen_.end()) {
      complain_at_key(
          problems_, value, path,
          "the name is taken by " + same->second + "; names are unique across sources, consumers and backends");
    }
    seen_.emplace_back(name, path);
  }

 private:
  Problems& problems_;
  std::vector<std::pair<std::string, std::string>> seen_;
};

void read_nodes(MapReader& root, NodeKind kind, NodeNames& names, Config& config, Problems& problems) {
  const std::string section = section_of(kind);
  const Value* nodes = root.take_some(section);
  if (nodes == nullptr) return;
  if (!nodes->is_map()) {
    complain(problems, *nodes, section, "must be a map from names to " + section + ", " + but_is(*nodes));
    return;
  }
  for (const auto& [name, value] : nodes->map) {
    const std::string path = section + "." + name;
    names.add(name, value, value.path.empty() ? path : value.path);
    config.nodes.push_back(read_node(kind, name, value, path, problems));
  }
}

void refuse_other_dialect(MapReader& root) {
  const std::string cure = "does not go with \"sluice: 1\": ";
  root.refuse("events", cure + "name sources, consumers and backends, or leave \"sluice: 1\" out to have events: read");
  root.refuse("event_consumer", cure + "leave one of the two out");
  root.refuse("dlq", "is not of this format: write delivery.dead_letter: store (or a backend's name) at each backend");
  root.refuse("dedup", "belongs on a source: sources.NAME.dedup");
  for (const char* key : {"spool", "stores"}) root.later(key, "leave it out");
}

}  // namespace

const char* kind_text(NodeKind kind) noexcept {
  switch (kind) {
    case NodeKind::source:
      return "source";
    case NodeKind::consumer:
      return "consumer";
    case NodeKind::backend:
      return "backend";
  }
  return "backend";
}

const char* section_of(NodeKind kind) noexcept {
  switch (kind) {
    case NodeKind::source:
      return "sources";
    case NodeKind::consumer:
      return "consumers";
    case NodeKind::backend:
      return "backends";
  }
  return "backends";
}

void read_host_keys(MapReader& root, Config& config, Problems& problems) {
  MapReader plugins(root.take("plugins"), root.path_of("plugins"), problems);
  if (const auto folders = plugins.texts("path")) {
    for (const Value* folder : *folders) {
      if (folder->string.empty()) complain(problems, *folder, root.path_of("plugins.path"), "a folder has no name");
      config.plugin_path.push_back(folder->string);
    }
  }
  plugins.done();

  MapReader admin(root.take("admin"), root.path_of("admin"), problems);
  if (const auto listen = admin.text("listen")) config.admin.listen = *listen;
  admin.done();

  read_log(root.take("log"), root.path_of("log"), config, problems);
  read_limits(root.take("limits"), root.path_of("limits"), config, problems);

  MapReader batch(root.take("batch"), root.path_of("batch"), problems);
  if (const auto events = batch.integer("max_events", 1, 65'536)) {
    config.batch_events = static_cast<std::uint32_t>(*events);
  }
  batch.done();

  using std::chrono::hours;
  if (const auto deadline = root.duration("drain_deadline", milliseconds(0), hours(24))) {
    config.drain_deadline = *deadline;
  }
  if (const auto path = root.text("undelivered")) config.undelivered_path = *path;
}

Config read_native(const Value& tree, const NativeOptions& options, Problems& problems) {
  Config config;
  config.file = tree.file;
  MapReader root(&tree, "", problems);
  read_version(root, tree, problems);
  read_host_keys(root, config, problems);
  refuse_other_dialect(root);
  NodeNames names(problems);
  for (const NodeKind kind : {NodeKind::source, NodeKind::consumer, NodeKind::backend}) {
    read_nodes(root, kind, names, config, problems);
  }
  add_dead_letter_store(root, tree, config);
  root.done();
  if (config.nodes.size() > kMostNodes) {
    complain(
        problems, tree, "",
        "has " + std::to_string(config.nodes.size()) + " nodes; a graph has at most " + std::to_string(kMostNodes));
    config.nodes.clear();
    return config;
  }
  if (options.stdin_source) add_stdin_source(config, tree, problems);
  check_wiring(config, tree, problems);
  return config;
}

Config read_disabled(const Value& tree, Problems& problems) {
  Config config;
  config.file = tree.file;
  MapReader root(&tree, "", problems);
  read_host_keys(root, config, problems);
  return config;
}

const NodeConfig* Config::find(std::string_view name) const noexcept {
  for (const NodeConfig& node : nodes) {
    if (node.name == name) return &node;
  }
  return nullptr;
}

}  // namespace sluice
