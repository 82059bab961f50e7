#include "plugin_folders.hh"

#include "edge/config_commands.hh"
#include "edge/config_loader.hh"
#include "edge/host_classes.hh"
#include "edge/plugin_library.hh"
#include "edge/spool_folders.hh"
#include "edge/trial_nodes.hh"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

namespace sluice {

namespace {

LoadOptions load_options(const std::string& file, const std::vector<Setting>& settings) {
  LoadOptions options{file, false, {}};
  for (const Setting& setting : settings) options.sets.push_back(setting.path + "=" + setting.value);
  return options;
}

std::unique_ptr<ClassCatalog> open_catalog(const std::vector<std::string>& folders, Problems& problems) {
  auto library = std::make_unique<PluginLibrary>(folders);
  add_host_classes(*library);
  for (const std::string& refusal : library->refusals()) problems.push_back({"", {}, "", refusal, Severity::note});
  return library;
}

}  // namespace

std::vector<std::string> plugin_folders(const std::vector<std::string>& asked) {
  if (!asked.empty()) return asked;
  // Of the two default places one is enough: a checkout has no ../lib, an installation no folder beside the program.
  std::vector<std::string> folders = default_plugin_path(), there;
  std::ranges::copy_if(folders, std::back_inserter(there), [](const std::string& folder) {
    std::error_code error;
    return std::filesystem::exists(folder, error);
  });
  return there.empty() ? folders : there;
}

int check_configs(const CheckCommand& command) {
  std::vector<LoadOptions> files;
  for (const std::string& file : command.configs) files.push_back(load_options(file, command.settings));
  return check_command(files, open_catalog, std::cout,
                       [](const Config& config, ClassCatalog& catalog, Problems& problems) {
                         try_nodes(config, static_cast<PluginLibrary&>(catalog), problems);  // open_catalog made it
                         try_spool_folders(config, problems);
                       });
}

int show_graph(const GraphCommand& command) {
  const GraphFormat format = command.format == GraphCommand::Format::dot       ? GraphFormat::dot
                             : command.format == GraphCommand::Format::mermaid ? GraphFormat::mermaid
                                                                               : GraphFormat::text;
  return graph_command(load_options(command.config, command.settings), format, open_catalog, std::cout, std::cerr);
}

}  // namespace sluice
