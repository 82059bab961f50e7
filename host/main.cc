// A table of contents: what was asked for, and who does it.
#include "alert_command.hh"
#include "core/setup_error.hh"
#include "dlq_command.hh"
#include "edge/command_line.hh"
#include "edge/emit.hh"
#include "edge/event_commands.hh"
#include "edge/plugin_commands.hh"
#include "edge/report_command.hh"
#include "edge/schema_commands.hh"
#include "edge/spool_commands.hh"
#include "plugin_folders.hh"
#include "replay_command.hh"
#include "run_command.hh"

#include <exception>
#include <fstream>
#include <iostream>

namespace sluice {

namespace {

template <class... Cases>
struct Dispatch : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Dispatch(Cases...) -> Dispatch<Cases...>;

int answer(const Answer& answer) {
  (answer.to_stderr() ? std::cerr : std::cout) << answer.text;
  return answer.exit_code;
}

/// Runs body on the named file, or on standard input when there is none.
template <class Body>
int with_input(const std::string& file, Body&& body) {
  std::ios::sync_with_stdio(false);
  if (file.empty()) return body(std::cin);
  std::ifstream in(file, std::ios::binary);
  if (!in) throw SetupError("cannot read " + file, kUsage);
  return body(in);
}

int event_check(const EventCheckCommand& command) {
  EventCheckOptions options;
  if (command.shape == EventCheckCommand::Shape::one) options.input = EventCheckOptions::Input::one;
  if (command.shape == EventCheckCommand::Shape::batch) options.input = EventCheckOptions::Input::batch;
  return with_input(command.file, [&](std::istream& in) { return run_event_check(options, in, std::cout); });
}

int event_match(const EventMatchCommand& command) {
  return with_input(command.file,
                    [&](std::istream& in) { return run_event_match({command.filter_json}, in, std::cout, std::cerr); });
}

int event_eval(const EventEvalCommand& command) {
  return with_input(command.file,
                    [&](std::istream& in) { return run_event_eval({command.sql}, in, std::cout, std::cerr); });
}

int run(const Command& command) {
  return std::visit(
      Dispatch{
          [](const Answer& c) { return answer(c); },
          [](const RunCommand& c) { return run_command(c); },
          [](const AlertCommand& c) { return alert_command(c); },
          [](const DlqCommand& c) { return dlq_command(c); },
          [](const ReplayCommand& c) { return replay_command(c); },
          [](const CheckCommand& c) { return check_configs(c); },
          [](const GraphCommand& c) { return show_graph(c); },
          [](const PluginListCommand& c) { return plugin_list(plugin_folders(c.path), std::cout); },
          [](const PluginExplainCommand& c) { return plugin_explain(c.klass, plugin_folders(c.path), std::cout); },
          [](const PluginCheckCommand& c) {
            PluginCheckOptions options;
            options.file = c.file;
            options.seed = c.seed;
            options.timeout = c.timeout;
            return plugin_check(options, std::cout);
          },
          [](const PluginCheckOneCommand& c) { return plugin_check_one(c.arguments); },
          [](const PluginNewCommand& c) { return plugin_new(c.kind, c.name, c.folder, std::cout); },
          [](const EventCheckCommand& c) { return event_check(c); },
          [](const EventMatchCommand& c) { return event_match(c); },
          [](const SchemaCheckCommand& c) { return run_schema_check(c.options, std::cout, std::cerr); },
          [](const EventEvalCommand& c) { return event_eval(c); },
          [](const ReportCommand& c) { return run_report(c, std::cout, std::cerr); },
          [](const SpoolCommand& c) { return spool_command(c, std::cout, std::cerr); },
          [](const EmitCommand& c) { return emit(c.request, std::cin, std::cout, std::cerr); },
      },
      command);
}

}  // namespace

}  // namespace sluice

int main(int argc, char** argv) try {
  return sluice::run(sluice::parse_command_line({argv + 1, argv + argc}, SLUICE_VERSION));
} catch (const sluice::SetupError& error) {
  std::cerr << "sluice: " << error.what() << '\n';
  return error.code();
} catch (const std::exception& error) {
  std::cerr << "sluice: " << error.what() << '\n';
  return sluice::kBadConfig;
}
