#include "side_run.hh"

#include "core/exit_code.hh"
#include "core/setup_error.hh"
#include "edge/config_commands.hh"
#include "edge/config_loader.hh"
#include "edge/crash_report.hh"
#include "edge/host_classes.hh"
#include "edge/log.hh"
#include "edge/signals.hh"

#include <algorithm>
#include <charconv>
#include <iostream>

namespace sluice {

std::optional<OpenConfig> open_config(const std::string& file, const std::vector<Setting>& settings) {
  LoadOptions options{file, false, {}};
  for (const Setting& setting : settings) options.sets.push_back(setting.path + "=" + setting.value);
  Problems problems;
  OpenConfig open;
  open.config = read_config(options, problems);
  open.library = std::make_unique<PluginLibrary>(open.config.plugin_path);
  add_host_classes(*open.library);
  check_classes(open.config, *open.library, problems);
  if (!has_errors(problems)) return open;
  sort_problems(problems);
  for (const Problem& problem : problems) std::cerr << to_line(problem) << '\n';
  return std::nullopt;
}

std::optional<NodeConfig> find_backend(const Config& config, const std::string& name) {
  const std::size_t bracket = name.find('[');
  const NodeConfig* found = config.find(name.substr(0, bracket));
  if (found == nullptr || found->kind != NodeKind::backend) return std::nullopt;
  NodeConfig node = *found;
  if (bracket == std::string::npos) return node;
  std::size_t element = 0;
  const auto [end, error] = std::from_chars(name.data() + bracket + 1, name.data() + name.size(), element);
  if (error != std::errc() || end == name.data() + name.size() || element >= node.fan_out_json.size()) {
    return std::nullopt;
  }
  node.config_json = node.fan_out_json[element];
  node.fan_out.clear();
  node.fan_out_json.clear();
  node.name = name;
  return node;
}

NodeConfig make_node(const OpenConfig& open, NodeKind kind, const std::string& name, const std::string& klass,
                     Value config) {
  Config one = without_nodes(open.config);
  NodeConfig& node = one.nodes.emplace_back();
  node.kind = kind;
  node.name = node.path = name;
  node.klass = klass;
  node.file = open.config.file;
  node.config = std::move(config);
  node.format = cloudevents_format();
  Problems problems;
  check_classes(one, *open.library, problems);
  for (const Problem& problem : problems) {
    if (problem.severity == Severity::error) throw SetupError(problem.path + ": " + problem.text);
  }
  return node;
}

Config without_nodes(const Config& config) {
  Config run = config;
  run.nodes.clear();
  run.admin.listen.clear();  // the host itself may be running
  run.disabled.clear();
  run.events_dialect = false;
  return run;
}

void add_target(Config& run, const Config& whole, NodeConfig target, const std::string& input, double rate_per_second) {
  target.inputs = {{input, "", {}}};
  Delivery& delivery = target.delivery;
  if (rate_per_second > 0) delivery.rate_per_second = rate_per_second;
  delivery.when_full = WhenFull::block;
  delivery.breaker.on_open = BreakerPolicy::OnOpen::hold;
  delivery.spool = {};  // its folder may be the running host's, and the source here holds what is not delivered
  std::string next = delivery.dead_letter;
  run.nodes.push_back(std::move(target));
  while (!next.empty() && run.find(next) == nullptr) {
    NodeConfig taker = *whole.find(next);
    taker.inputs.clear();
    taker.delivery.spool = {};
    next = taker.delivery.dead_letter;
    run.nodes.push_back(std::move(taker));
  }
}

SideFigures figures_of_sources(const GraphView& view) {
  SideFigures sum;
  for (const NodeView& node : view.nodes) {
    if (node.kind != NodeKind::source) continue;
    sum.read += node.stats->records_in.get();
    sum.delivered += node.stats->settled_delivered.get();
    sum.dropped += node.stats->settled_dropped.get();
    sum.rejected += node.stats->settled_rejected.get();
    sum.undelivered += node.stats->settled_retry.get();
  }
  return sum;
}

int run_beside(const Config& run, PluginLibrary& library, Signals& signals, const AtEnd& at_end) {
  StreamLog log;
  (void)log.set_level(run.log.level == "debug" || run.log.level == "error" ? run.log.level : "warn");
  (void)log.set_format(run.log.format);
  return run_graph(run, library, signals, log, at_end);
}

}  // namespace sluice
