// `sluice plugin list`.
#include "core/exit_code.hh"
#include "edge/plugin_commands.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_link.hh"
#include "edge/plugin_tables.hh"

#include <algorithm>
#include <filesystem>
#include <iomanip>

namespace sluice {

int plugin_list(const std::vector<std::string>& search_path, std::ostream& out) {
  const PluginLibrary library(search_path);
  bool all_fine = true;
  for (const std::string& folder : search_path) {
    std::error_code error;
    if (std::filesystem::exists(folder, error)) continue;
    out << folder << ": expected a folder with modules, found no such folder\n";
    all_fine = false;
  }
  std::size_t width = 0;
  for (const std::string& name : library.names()) width = std::max(width, name.size());
  std::vector<std::string> refused = library.refusals();
  for (const ModuleDescription& module : library.modules()) {
    const std::vector<std::string> problems = link_problems(module.path);
    for (const std::string& problem : problems) {
      refused.push_back(module.path + ": expected a module whose symbols and libraries are all found, found " +
                        problem);
    }
    if (!problems.empty()) continue;
    out << module.path << " (ABI 1." << module.abi_minor << ")\n";
    for (const ClassDescription& one : module.classes) {
      out << "  " << std::left << std::setw(9) << to_text(one.kind) << ' ' << std::setw(static_cast<int>(width))
          << one.name << "  " << std::setw(8) << one.version << ' ' << one.summary << '\n';
    }
  }
  for (const std::string& line : refused) {
    out << line << '\n';
    all_fine = false;
  }
  if (library.modules().empty() && refused.empty()) out << "no modules in " << library.where_looked() << '\n';
  return all_fine ? kClean : kBadConfig;
}

}  // namespace sluice
