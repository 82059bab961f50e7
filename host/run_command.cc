#include "run_command.hh"

#include "core/setup_error.hh"
#include "edge/admin_pages.hh"
#include "edge/admin_server.hh"
#include "edge/config_commands.hh"
#include "edge/config_loader.hh"
#include "edge/consumer_pages.hh"
#include "edge/crash_report.hh"
#include "edge/host_classes.hh"
#include "edge/log.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_metrics.hh"
#include "edge/process_facts.hh"
#include "edge/progress.hh"
#include "edge/signals.hh"
#include "edge/summary.hh"
#include "edge/undelivered_file.hh"
#include "edge/wall_clock.hh"
#include "graph_nodes.hh"
#include "reload.hh"
#include "run/pipeline.hh"

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <thread>

namespace sluice {

namespace {

constexpr milliseconds kConsumerNews{500};  // how soon a change of event_consumer's state is in the log

class UndeliveredToFile final : public UndeliveredSink {
 public:
  explicit UndeliveredToFile(UndeliveredFile& file) : file_(file) {}
  void write(std::string_view event_json, std::string_view reason) noexcept override {
    file_.write(event_json, reason);
  }

 private:
  UndeliveredFile& file_;
};

int report(Problems problems) {
  sort_problems(problems);
  for (const Problem& problem : problems) std::cerr << to_line(problem) << '\n';
  return kBadConfig;
}

/// Where undelivered events go when the configuration does not say: beside where the run was started, or in the
/// temporary folder when that cannot be written. Two runs never share a file.
std::string undelivered_path(const Config& config) {
  if (!config.undelivered_path.empty()) return config.undelivered_path;
  std::string name = "sluice-undelivered-" + std::to_string(::getpid()) + ".jsonl";
  if (::access(".", W_OK) == 0) return name;
  const char* temporary = std::getenv("TMPDIR");
  return std::string(temporary != nullptr ? temporary : "/tmp") + "/" + name;
}

LoadOptions load_options(const RunCommand& command) {
  LoadOptions options{command.config, command.standard_input, {}};
  for (const Setting& setting : command.settings) options.sets.push_back(setting.path + "=" + setting.value);
  return options;
}

/// The graph as pages, summary and progress see it.
GraphView view_of(const Config& config, Pipeline& pipeline) {
  GraphView view;
  view.types = &pipeline.types();
  view.version = SLUICE_VERSION;
  view.consumer = &config.consumer;
  for (NodeIndex i = 0; i < pipeline.graph().nodes.size(); ++i) {
    const GraphNode& node = pipeline.graph().nodes[i];
    const NodeConfig& from = config.nodes[node.config];
    view.nodes.push_back({node.kind, node.name, from.klass, node.observer, from.required && !node.observer,
                          &pipeline.stats(i), from.dedup.has_value(), pipeline.key_store_stats(i),
                          from.delivery.spool.on()});
  }
  return view;
}

std::unique_ptr<AdminServer> open_admin(const Config& config, LiveView& view, const PluginMetrics& metrics, Log& log) {
  if (config.admin.listen.empty()) return nullptr;
  const AdminSources sources{view.graph, [&metrics] { return metrics.samples(); }, read_process_facts};
  const auto page = [sources, &view](std::string_view target) {
    const std::lock_guard lock(view.mutex);
    return admin_page(sources, target);
  };
  return std::make_unique<AdminServer>(config.admin.listen, page, log);
}

/// A line of progress for people who wait at a terminal.
void show_progress(Progress& progress, const GraphView& view, std::uint64_t bytes_total, std::uint64_t now_ns,
                   StreamLog& log) {
  ProgressFacts facts;
  facts.bytes_total = bytes_total;
  for (const NodeView& node : view.nodes) {
    if (node.kind != NodeKind::source) continue;
    facts.events += total(*node.stats, &TypeCounters::in);
    facts.bytes += node.stats->bytes_in.get();
  }
  if (const auto line = progress.line(facts, now_ns)) log.show_status(*line);
}

void say_goodbye(const GraphView& view, Pipeline& pipeline, StreamLog& log) {
  std::vector<PluginSummary> plugins;
  for (NodeIndex i = 0; i < view.nodes.size(); ++i) {
    std::string text = pipeline.node(i).summary();
    if (!text.empty()) plugins.push_back({view.nodes[i].name, std::move(text)});
  }
  const std::vector<Field> fields = summary_fields(view);
  log.write(Level::info, "Run ended", fields);
  std::cerr << summary_text(view, plugins);
}

/// While plugins are created and started somebody must listen to signals: a plugin may hang there. The first signal is
/// kept for the graph, the second ends the process.
class StartWatch {
 public:
  explicit StartWatch(Signals& signals) : signals_(signals), thread_([this] { watch(); }) {}
  StartWatch(const StartWatch&) = delete;
  StartWatch& operator=(const StartWatch&) = delete;
  ~StartWatch() { (void)end(); }

  /// Hands the signals over. True when a stop was asked for meanwhile.
  bool end() {
    if (thread_.joinable()) {
      done_.wake();
      thread_.join();
    }
    return stop_;
  }
  /// After end(): the configuration was to be read again meanwhile.
  [[nodiscard]] bool reload_asked() const noexcept { return reload_; }

 private:
  void watch() {
    while (done_.prepare_sleep()) {
      pollfd watched[] = {{signals_.fd(), POLLIN, 0}, {done_.fd(), POLLIN, 0}};
      (void)::poll(watched, 2, -1);
      done_.slept();
      while (const auto event = signals_.read()) {
        if (*event == Signals::Event::stop_now) {
          std::cerr << "sluice: second signal during the start: stopping at once\n";
          ::_exit(kUndelivered);
        }
        if (*event == Signals::Event::reload) reload_ = true;
        if (*event == Signals::Event::stop) {
          stop_ = true;
          std::cerr << "sluice: stopping as soon as the start is done; a second signal stops at once\n";
        }
      }
    }
  }

  Signals& signals_;
  Waker done_;
  bool stop_ = false;  // both written before the join, read after it
  bool reload_ = false;
  std::thread thread_;
};

/// Until the graph is finished: signals and the pipeline's own news, nothing else.
void drive(Pipeline& pipeline, const GraphView& view, std::uint64_t bytes_total, Signals& signals, Reload* reload,
           const Clock& clock, StreamLog& log) {
  Progress progress;
  const bool consumes = !view.consumer->node.empty();
  ConsumerLog consumer_log(*view.consumer, view, log);
  while (!pipeline.finished()) {
    if (log.on_terminal()) show_progress(progress, view, bytes_total, clock.now_ns(), log);
    if (consumes) consumer_log.look(clock.now_ns());
    milliseconds wait = pipeline.control();
    if (reload != nullptr) reload->step();
    if (consumes) wait = std::min(wait, kConsumerNews);
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
          if (reload != nullptr) {
            reload->ask();
          } else {
            log.write(Level::warn, "SIGHUP is ignored: only sluice run reads its configuration again", {});
          }
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
  add_host_classes(library);
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

  const LoadOptions options = load_options(command);
  return run_graph(config, library, signals, log, {}, &options);
}

int run_graph(const Config& config, PluginLibrary& library, Signals& signals, StreamLog& log, const AtEnd& at_end,
              const LoadOptions* reload_from) {
  WallClock clock;
  PluginMetrics metrics;
  const NodeServices services{log, clock, metrics};
  Graph graph = build_graph(config, facts_of(config, library));
  StartWatch start_watch(signals);
  GraphNodes made = create_nodes(config, graph, library, services);
  UndeliveredFile undelivered_file(undelivered_path(config), log);
  UndeliveredToFile undelivered(undelivered_file);
  Pipeline pipeline(config, std::move(graph), std::move(made.nodes),
                    {clock, log, static_cast<std::uint64_t>(clock.unix_ns()), &undelivered});
  LiveView live{view_of(config, pipeline), {}};
  const GraphView& view = live.graph;
  pipeline.start();
  const std::unique_ptr<AdminServer> admin = open_admin(config, live, metrics, log);
  const std::uint64_t bytes_total = pipeline.input_bytes();
  if (start_watch.end()) pipeline.request_stop();
  pipeline.launch();
  std::optional<Reload> reload;
  if (reload_from != nullptr) {
    reload.emplace(*reload_from, config, library, services, pipeline, made.once_keys, live, log);
    if (start_watch.reload_asked()) reload->ask();
  }
  drive(pipeline, view, bytes_total, signals, reload ? &*reload : nullptr, clock, log);
  log.show_status("");
  if (at_end) {
    at_end(view);
  } else {
    say_goodbye(view, pipeline, log);
  }
  if (const std::uint64_t left = pipeline.spooled(); left > 0) {
    std::cerr << left
              << " events stay in spools and are not lost: the next run delivers them (sluice spool ls --config "
              << config.file << ")\n";
  }
  if (!pipeline.halt_text().empty()) std::cerr << "\xe2\x9d\x8c Stopped: " << pipeline.halt_text() << '\n';
  return exit_code_of(pipeline);
}

}  // namespace sluice
