#include "run_command.hh"

#include "core/setup_error.hh"
#include "edge/config_commands.hh"
#include "edge/config_loader.hh"
#include "edge/crash_report.hh"
#include "edge/log.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_metrics.hh"
#include "edge/plugin_node.hh"
#include "edge/signals.hh"
#include "edge/undelivered_file.hh"
#include "edge/wall_clock.hh"
#include "run/pipeline.hh"

#include <poll.h>
#include <unistd.h>

#include <iostream>

namespace sluice {

namespace {

class UndeliveredToFile final : public UndeliveredSink {
 public:
  explicit UndeliveredToFile(UndeliveredFile& file) : file_(file) {}
  void write(std::string_view event_json, std::string_view reason) noexcept override { file_.write(event_json, reason); }

 private:
  UndeliveredFile& file_;
};

int report(Problems problems) {
  sort_problems(problems);
  for (const Problem& problem : problems) std::cerr << to_line(problem) << '\n';
  return kBadConfig;
}

LoadOptions load_options(const RunCommand& command) {
  LoadOptions options{command.config, command.standard_input, {}};
  for (const Setting& setting : command.settings) options.sets.push_back(setting.path + "=" + setting.value);
  return options;
}

std::vector<NodeFacts> facts_of(const Config& config, const ClassCatalog& catalog) {
  std::vector<NodeFacts> facts;
  for (const NodeConfig& node : config.nodes) {
    const ClassDescription* description = catalog.find(node.klass);
    facts.push_back({description->flags, description->ports, static_cast<std::uint32_t>(node.fan_out_json.size())});
  }
  return facts;
}

/// One instance per graph node. Throws SetupError naming node and class.
std::vector<PipelineNode> create_nodes(const Config& config, const Graph& graph, PluginLibrary& library,
                                       const NodeServices& services) {
  std::vector<PipelineNode> nodes;
  for (const GraphNode& node : graph.nodes) {
    const NodeConfig& from = config.nodes[node.config];
    NodeSeat seat{node.name, from.fan_out_json.empty() ? from.config_json : from.fan_out_json[node.element], 0, 1};
    CreatedNode created = create_node(library.load(from.klass), std::move(seat), services);
    if (!created.status.ok()) {
      Problem problem{from.file, from.mark, node.name, "class " + from.klass + " refused its config: " + created.status.text};
      throw SetupError(to_line(problem));
    }
    nodes.push_back({std::move(created.source), std::move(created.consumer), std::move(created.backend)});
  }
  return nodes;
}

/// Until the graph is finished: signals and the pipeline's own news, nothing else.
void drive(Pipeline& pipeline, Signals& signals, Log& log) {
  while (!pipeline.finished()) {
    milliseconds wait = pipeline.control();
    if (wait.count() > 0 && !pipeline.waker().prepare_sleep()) wait = milliseconds(0);
    pollfd watched[] = {{signals.fd(), POLLIN, 0}, {pipeline.fd(), POLLIN, 0}};
    (void)::poll(watched, 2, static_cast<int>(wait.count()));
    pipeline.waker().slept();
    while (const auto event = signals.read()) {
      switch (*event) {
        case Signals::Event::stop:
          log.write(Level::info, "Stopping: no more input is taken, what is under way is delivered", {});
          pipeline.request_stop();
          break;
        case Signals::Event::stop_now:
          log.write(Level::warn, "Second signal: stopping at once", {});
          ::_exit(kUndelivered);
        case Signals::Event::reload:
          log.write(Level::warn, "SIGHUP is ignored: reload is not built yet; restart to apply a new configuration", {});
          break;
      }
    }
  }
}

int exit_code_of(const Pipeline& pipeline) {
  if (!pipeline.halt_text().empty()) return kHalted;
  return pipeline.undelivered() > 0 ? kUndelivered : kClean;
}

}  // namespace

int run_command(const RunCommand& command) {
  install_crash_report();
  Signals signals;  // before any thread
  Problems problems;
  Config config = read_config(load_options(command), problems);
  PluginLibrary library(config.plugin_path);
  check_classes(config, library, problems);
  if (has_errors(problems)) return report(std::move(problems));

  StreamLog log;
  (void)log.set_level(config.log.level);
  (void)log.set_format(config.log.format);
  for (const Problem& note : problems) log.write(Level::info, to_line(note), {});
  if (!config.disabled.empty()) {
    log.write(Level::info, "Nothing to run: " + config.disabled, {});
    return kClean;
  }

  WallClock clock;
  PluginMetrics metrics;
  const NodeServices services{log, clock, metrics};
  Graph graph = build_graph(config, facts_of(config, library));
  std::vector<PipelineNode> nodes = create_nodes(config, graph, library, services);
  UndeliveredFile undelivered_file(config.undelivered_path, log);
  UndeliveredToFile undelivered(undelivered_file);
  Pipeline pipeline(config, std::move(graph), std::move(nodes),
                    {clock, log, static_cast<std::uint64_t>(clock.unix_ns()), &undelivered});
  pipeline.start();
  pipeline.launch();
  drive(pipeline, signals, log);
  if (!pipeline.halt_text().empty()) std::cerr << "\xe2\x9d\x8c Stopped: " << pipeline.halt_text() << '\n';
  return exit_code_of(pipeline);
}

}  // namespace sluice
