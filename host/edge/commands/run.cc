// sluice run, check, graph: what is done with a configuration.
#include "edge/command_help.hh"
#include "edge/commands/shared_options.hh"

#include <map>

namespace sluice {
namespace {

GraphCommand::Format format_named(const std::string& name) {
  static const std::map<std::string, GraphCommand::Format> formats{{"text", GraphCommand::Format::text},
                                                                   {"dot", GraphCommand::Format::dot},
                                                                   {"mermaid", GraphCommand::Format::mermaid}};
  const auto found = formats.find(name);
  if (found == formats.end()) throw BadWords{"--format: expected text, dot or mermaid, got '" + name + "'"};
  return found->second;
}

}  // namespace

void declare_run(CommandSyntax& top) {
  CommandSyntax run = top.command("run", "Run the graph of a configuration until it ends or is stopped.", help::kRun);
  auto& running = run.makes<RunCommand>();
  run.option("CONFIG", running.config, "The configuration, a YAML file").required();
  run.flag("--stdin", running.standard_input,
           "Also take events from standard input, one per line; the run ends when it ends");
  add_settings(run, running.settings);

  CommandSyntax check = top.command("check", "Say everything that is wrong with a configuration.", help::kCheck);
  auto& checking = check.makes<CheckCommand>();
  check.option("CONFIG", checking.configs, "Configurations, YAML files").required();
  add_settings(check, checking.settings);

  CommandSyntax graph = top.command("graph", "Show what would run, with every effective value.", help::kGraph);
  struct Shown {
    GraphCommand asked;
    std::string format = "text";
  };
  const auto shown = std::make_shared<Shown>();
  graph.option("CONFIG", shown->asked.config, "The configuration, a YAML file").required();
  graph.option("--format", shown->format, "text (default), dot (Graphviz) or mermaid").shown_as("FORMAT");
  add_settings(graph, shown->asked.settings);
  graph.means([shown] {
    shown->asked.format = format_named(shown->format);
    return Command(std::move(shown->asked));
  });
}

}  // namespace sluice
