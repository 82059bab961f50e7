#include "replay_command.hh"

#include "core/exit_code.hh"
#include "core/setup_error.hh"
#include "edge/crash_report.hh"
#include "edge/letter_choice.hh"
#include "edge/signals.hh"
#include "edge/wall_clock.hh"
#include "replay_source.hh"

#include <algorithm>
#include <iostream>

namespace sluice {
namespace {

constexpr const char* kWindow = "time_window";

/// A filter is an object, or an array of them.
std::string as_list(const std::string& filter) { return filter.starts_with('[') ? filter : "[" + filter + "]"; }

/// The backend's own `when:` and what was typed, both.
void narrow(NodeConfig& target, const ReplayCommand& command) {
  const std::string typed = filter_json(command.types, command.when_json);
  if (typed.empty()) return;
  const std::string both =
      target.when_json.empty() ? typed : R"([{"all":)" + as_list(target.when_json) + R"(},{"all":)" + typed + "}]";
  std::string why;
  target.when = Filter::parse(both, why);
  if (!target.when) throw SetupError("--when: " + why, kUsage);
  target.when_json = both;
}

Config make_run(const ReplayCommand& command, const OpenConfig& open, NodeConfig target) {
  Config run = without_nodes(open.config);
  const std::int64_t now = WallClock().unix_ns();
  Value where;
  Value window = make_map(where);
  if (!command.from.empty()) window.put("from_ns", make_integer(moment_of("--from", command.from, now), where));
  if (!command.to.empty()) window.put("to_ns", make_integer(moment_of("--to", command.to, now), where));
  std::vector<Input> inputs;
  for (NodeConfig& source :
       replay_sources(open, command.sources, command.into, command.dry_run ? std::string() : command.state)) {
    inputs.push_back({source.name, "", {}});
    run.nodes.push_back(std::move(source));
  }
  narrow(target, command);
  if (command.dry_run) {  // the filter counts, the delivery does not
    NodeConfig dry = make_node(open, NodeKind::backend, "dry_run", "dry_run", make_map(where));
    dry.when = target.when;
    dry.when_json = target.when_json;
    target = std::move(dry);
  }
  if (window.map.empty()) {
    add_target(run, open.config, std::move(target), inputs.front().node, rate_of(command.rate));
    std::ranges::find(run.nodes, NodeKind::backend, &NodeConfig::kind)->inputs = inputs;
    return run;
  }
  NodeConfig span = make_node(open, NodeKind::consumer, kWindow, kWindow, std::move(window));
  span.inputs = std::move(inputs);
  run.nodes.push_back(std::move(span));
  add_target(run, open.config, std::move(target), kWindow, rate_of(command.rate));
  return run;
}

struct Outcome {
  SideFigures sources;
  std::uint64_t delivered = 0, buried = 0, undecodable = 0;
};

Outcome outcome_of(const GraphView& view) {
  Outcome outcome{figures_of_sources(view)};
  const auto target = std::ranges::find(view.nodes, NodeKind::backend, &NodeView::kind);
  outcome.delivered = total(*target->stats, &TypeCounters::out);
  outcome.buried = target->stats->dead_lettered.get();
  for (const NodeView& node : view.nodes) outcome.undecodable += node.stats->undecodable.get();
  return outcome;
}

void say_types(const GraphView& view) {
  const auto target = std::ranges::find(view.nodes, NodeKind::backend, &NodeView::kind);
  const std::vector<std::string> names = view.types->names();
  for (std::size_t id = 0; id < names.size(); ++id) {
    const std::uint64_t count = target->stats->by_type[id].out.get();
    if (count > 0) std::cout << "  " << count << "  " << names[id] << '\n';
  }
}

}  // namespace

int replay_command(const ReplayCommand& command) {
  install_crash_report();
  Signals signals;  // before any thread
  const auto open = open_config(command.config, command.settings);
  if (!open) return kBadConfig;
  auto target = find_backend(open->config, command.into);
  if (!target) throw SetupError("--into: the configuration has no backend \"" + command.into + "\"", kUsage);
  const Config run = make_run(command, *open, std::move(*target));
  Outcome outcome;
  const int code = run_beside(run, *open->library, signals, [&](const GraphView& view) {
    outcome = outcome_of(view);
    if (command.dry_run) {
      std::cout << "would replay " << outcome.delivered << " of " << outcome.sources.read << " events into "
                << command.into << '\n';
      say_types(view);
    }
  });
  if (!command.dry_run) {
    std::cout << "replayed into " << command.into << ": " << outcome.delivered << " delivered, "
              << outcome.sources.dropped << " filtered out";
    if (outcome.buried > 0) std::cout << ", " << outcome.buried << " dead-lettered";
    if (outcome.sources.undelivered > 0) std::cout << ", " << outcome.sources.undelivered << " not delivered";
    if (outcome.undecodable > 0) std::cout << ", " << outcome.undecodable << " lines were no events";
    std::cout << '\n';
  }
  const bool failed = outcome.sources.rejected > 0 || outcome.sources.undelivered > 0 || outcome.buried > 0;
  return failed ? std::max(code, int{kUndelivered}) : code;
}

}  // namespace sluice
