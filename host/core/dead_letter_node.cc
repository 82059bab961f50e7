// `delivery.dead_letter: store`: the local store becomes a backend of the graph, so that it has a lane, bounds and
// health like every other.
#include "core/dialect.hh"
#include "core/map_reader.hh"
#include "core/native_format.hh"

#include <algorithm>

namespace sluice {
namespace {

/// "config/settings.yaml" keeps its dead letters in "config/settings.dead_letters.db".
std::string default_path(const std::string& file) {
  const std::size_t name = file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1;
  const std::size_t dot = file.rfind('.');
  return file.substr(0, dot == std::string::npos || dot <= name ? file.size() : dot) + ".dead_letters.db";
}

}  // namespace

void add_dead_letter_store(MapReader& root, const Value& tree, Config& config) {
  const auto wants_store = [](const NodeConfig& node) { return node.delivery.dead_letter == kDeadLetterStore; };
  const bool wanted = std::ranges::any_of(config.nodes, wants_store) && config.find(kDeadLetterStore) == nullptr;
  if (!wanted) {
    (void)root.idle("dead_letters", "no node says dead_letter: store");
    return;
  }
  const Value* written = root.take_some("dead_letters");
  NodeConfig node;
  node.kind = NodeKind::backend;
  node.name = kDeadLetterStore;
  node.klass = kDeadLetterStoreClass;
  node.path = "dead_letters";
  node.file = written == nullptr ? tree.file : written->file;
  node.mark = written == nullptr ? Mark{} : written->key_mark;
  node.config = written == nullptr ? make_map(tree) : *written;
  write_paths(node.config, "dead_letters");
  if (node.config.is_map() && node.config.find("path") == nullptr) {
    node.config.put("path", make_string(default_path(tree.file), node.config));
  }
  config.nodes.push_back(std::move(node));
}

}  // namespace sluice
