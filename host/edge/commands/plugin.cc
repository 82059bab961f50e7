// sluice plugin list, explain, check, new.
#include "edge/command_help.hh"
#include "edge/command_syntax.hh"

#include <chrono>

namespace sluice {
namespace {

void add_path(CommandSyntax& command, std::vector<std::string>& into) {
  command.option("--path", into, "Folder to look for modules in, instead of where a run would look")
      .shown_as("DIR")
      .one_each_time();
}

void declare_check(CommandSyntax& plugin) {
  CommandSyntax check = plugin.command("check", "Test a module against the contract.", help::kPluginCheck);
  struct Timed {
    PluginCheckCommand asked;
    std::uint32_t seconds = 30;
  };
  const auto timed = std::make_shared<Timed>();
  check.option("FILE", timed->asked.file, "The module, a .so file").required();
  check.option("--seed", timed->asked.seed, "Repeat a run that printed this seed").shown_as("N");
  check.option("--timeout", timed->seconds, "Seconds for each test (default 30)").shown_as("S").between(1, 3600);
  check.means([timed] {
    timed->asked.timeout = std::chrono::seconds(timed->seconds);
    return Command(std::move(timed->asked));
  });
  // How `plugin check` calls itself.
  plugin.hidden_command("check-one",
                        [](std::vector<std::string> words) { return PluginCheckOneCommand{std::move(words)}; });
}

}  // namespace

void declare_plugin(CommandSyntax& top) {
  CommandSyntax plugin = top.command("plugin", "Look at modules, test one, or begin one.", "");
  CommandSyntax list = plugin.command("list", "List modules and classes, with versions.", help::kPluginList);
  add_path(list, list.makes<PluginListCommand>().path);

  CommandSyntax explain = plugin.command("explain", "Print what a class can be told.", help::kPluginExplain);
  auto& explaining = explain.makes<PluginExplainCommand>();
  explain.option("CLASS", explaining.klass, "The class, as it stands behind class: in a configuration").required();
  add_path(explain, explaining.path);

  declare_check(plugin);

  CommandSyntax fresh = plugin.command("new", "Write a plugin project to begin with.", help::kPluginNew);
  auto& begun = fresh.makes<PluginNewCommand>();
  fresh.option("KIND", begun.kind, "source, consumer or backend").required().one_of({"source", "consumer", "backend"});
  fresh.option("NAME", begun.name, "Name of the class").required();
  fresh.option("DIR", begun.folder, "Folder to make").required();
}

}  // namespace sluice
