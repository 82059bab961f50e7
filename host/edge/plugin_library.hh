// The modules in the search path: their classes by name, and the loaded tables behind them. Describing reads files
// only; loading runs a module's constructors and happens once per module, before any lane runs. A module is never
// unloaded: its thread-locals and registered callbacks would outlive its code.
#pragma once

#include "core/class_info.hh"
#include "edge/plugin_inspect.hh"

#include <sluice/module.h>

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A class ready to make nodes of. Everything in it lives until the process ends.
struct LoadedClass {
  const ClassDescription* description = nullptr;
  const sluice_class* table = nullptr;
  const char* module = nullptr;  // file name of the module, for people
};

/// Finds and loads modules. One thread, before the lanes start (and on reload, between them).
class PluginLibrary final : public ClassCatalog {
 public:
  /// Folders are searched in order, a file in them by name; an entry may also be a .so itself. The first module that
  /// offers a class wins.
  explicit PluginLibrary(std::vector<std::string> search_path);

  using ClassCatalog::find;
  [[nodiscard]] const ClassDescription* find(NodeKind kind, std::string_view name) const override;
  [[nodiscard]] std::vector<std::string> names() const override;
  [[nodiscard]] std::string where_looked() const override;

  [[nodiscard]] const std::deque<ModuleDescription>& modules() const noexcept { return modules_; }
  /// The module that offers the class; null when none does.
  [[nodiscard]] const ModuleDescription* module_of(NodeKind kind, std::string_view name) const;
  /// One line per file that is not taken, and per class that an earlier module already offers.
  [[nodiscard]] const std::vector<std::string>& refusals() const noexcept { return refusals_; }

  /// Loads the class's module when that has not happened yet. Throws SetupError (exit 78).
  [[nodiscard]] LoadedClass load(NodeKind kind, std::string_view class_name);
  /// Of any kind, for who has only a name.
  [[nodiscard]] LoadedClass load(std::string_view class_name);

  /// A module that is compiled in. Throws Refused.
  void add_built_in(const char* name, const sluice_module* module);

 private:
  struct Entry {
    const ClassDescription* description = nullptr;
    const sluice_module* built_in = nullptr;
  };
  using Kinds = std::array<Entry, 3>;  // by NodeKind
  [[nodiscard]] const Entry* entry_of(NodeKind kind, std::string_view name) const;
  void scan(const std::string& folder);
  void add_file(const std::string& path);
  void offer(const ModuleDescription& module, const sluice_module* built_in);

  std::vector<std::string> search_path_;
  std::deque<ModuleDescription> modules_;
  std::map<std::string, Kinds, std::less<>> classes_;
  std::set<std::string> files_;  // looked at, by their real paths
  std::vector<std::string> refusals_;
};

/// Loads one module and checks its tables. Throws Refused. The same file twice gives the same tables; another file
/// under the same path is loaded beside the one before.
[[nodiscard]] const sluice_module* load_module(const ModuleDescription& description);

}  // namespace sluice
