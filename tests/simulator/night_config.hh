// The rules of a simulated night: a node of a shipped example, read by the code that `sluice run` reads it with, and
// taken by the code of the module. What a reload finds is the same file with a rule more in front, another title and
// another wait.
#pragma once

#include "rules.hh"
#include "world.hh"

#include "edge/config_loader.hh"
#include "edge/plugin_config.hh"
#include "edge/plugin_host.hh"
#include "edge/plugin_library.hh"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace sluice::sim {

/// One node's configuration as the plugin sees it, before the reload and after it.
struct NightConfig {
  std::string node;  // "slack" or "email": the node, its class, and the example's name
  std::string before, after;
};

[[nodiscard]] inline std::string config_of(const std::string& file, const std::string& node,
                                           const PluginLibrary& catalog) {
  Problems problems;
  const Config config = load_config({file, false, {}}, catalog, problems);
  for (const Problem& problem : problems) {
    require(problem.severity != Severity::error, problem.file + ": " + problem.path + ": " + problem.text);
  }
  for (const NodeConfig& one : config.nodes) {
    if (one.name == node) return one.config_json;
  }
  throw Violation(file + " has no node " + node);
}

/// `scratch`: a folder for the changed file.
[[nodiscard]] inline NightConfig night_config(const std::string& examples, const std::string& node,
                                              const PluginLibrary& catalog, const std::string& scratch) {
  const std::string file = examples + "/alert_" + node + ".yaml";
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto change = [&](const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    require(at != text.npos, file + " holds no \"" + from + "\" to change");
    text.replace(at, from.size(), to);
  };
  change("group_wait: 1s", "group_wait: 2s");
  change("title: \"🚨", "title: \"❗");
  change("      rules:\n",
         "      rules:\n        - name: newcomer\n          when: { types: [extraction.stalled] }\n          title: "
         "new\n");
  const std::string changed = scratch + "/changed_" + node + ".yaml";
  std::ofstream(changed) << text;
  return {node, config_of(file, node, catalog), config_of(changed, node, catalog)};
}

/// What a life of the node has of it.
class NightRules {
 public:
  NightRules(const std::string& node, const std::string& json, const NodeServices& services)
      : config_(json),
        host_(PluginHost::make("alerting", node, 0, 1, services)),
        rules(HostView(host_), ConfigView(config_.table()),
              node == "slack" ? &alerting::escape_slack : &alerting::escape_nothing),
        settings(alerting::settings_from(ConfigView(config_.table()), rules)) {}

 private:
  PluginConfig config_;
  PluginHost& host_;

 public:
  alerting::Rules rules;
  alerting::Settings settings;
};

}  // namespace sluice::sim
