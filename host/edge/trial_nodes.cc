#include "edge/trial_nodes.hh"

#include "core/setup_error.hh"
#include "edge/plugin_metrics.hh"
#include "edge/plugin_node.hh"
#include "edge/wall_clock.hh"

#include <charconv>

namespace sluice {
namespace {

class NoLog final : public Log {
 public:
  [[nodiscard]] bool enabled(Level) const noexcept override { return false; }
  void write(Level, std::string_view, std::span<const Field>) noexcept override {}
};

const Value* step_into(const Value& here, std::string_view step) {
  if (!here.is_list()) return here.find(step);
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool good = error == std::errc() && end == step.data() + step.size() && index < here.list.size();
  return good ? &here.list[index] : nullptr;
}

}  // namespace

Problem refusal(const NodeConfig& node, const std::string& text) {
  Problem problem{node.file, node.mark, node.path, "class " + node.klass + " refused its config: " + text};
  const std::size_t colon = text.find(": ");
  if (colon == text.npos || colon == 0) return problem;
  const Value* here = &node.config;
  std::string_view rest(text.data(), colon);
  std::string path = node.path + ".config";
  while (!rest.empty()) {
    const std::string_view step = rest.substr(0, rest.find('/'));
    const Value* next = step_into(*here, step);
    if (next == nullptr || next->mark.line == 0) break;  // the key is missing, or was filled in: where it would stand
    path += here->is_list() ? "[" + std::string(step) + "]" : "." + std::string(step);
    here = next;
    rest.remove_prefix(std::min(step.size() + 1, rest.size()));
  }
  if (here == &node.config) return problem;
  const std::string said = rest.empty() ? text.substr(colon + 2) : std::string(rest) + text.substr(colon);
  return {here->file.empty() ? node.file : here->file, here->mark, path, said};
}

void try_nodes(const Config& config, PluginLibrary& library, Problems& problems) {
  NoLog log;
  const WallClock clock;
  PluginMetrics metrics;
  for (const NodeConfig& node : config.nodes) {
    const std::vector<std::string> whole{node.config_json};
    try {
      const LoadedClass loaded = library.load(node.kind, node.klass);
      for (const std::string& json : node.fan_out_json.empty() ? whole : node.fan_out_json) {
        const CreatedNode made = create_node(loaded, {node.name, json, 0, 1}, {log, clock, metrics});
        if (made.status.code == SLUICE_BAD_CONFIG) problems.push_back(refusal(node, made.status.text));
      }
    } catch (const SetupError& e) {
      problems.push_back({node.file, node.klass_mark, node.path, e.what()});
    }
  }
}

}  // namespace sluice
