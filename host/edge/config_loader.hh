// From a file name and a command line to a checked configuration. In two steps, because the file itself says where the
// classes are looked for.
#pragma once

#include "core/class_info.hh"
#include "core/config.hh"

#include <string>
#include <vector>

namespace sluice {

struct LoadOptions {
  std::string path;
  bool stdin_source = false;      // `sluice run --stdin`
  std::vector<std::string> sets;  // `--set path=value`, in order
};

/// Step 1: everything that can be known without classes: syntax, dialect, ${...}, nodes and their wiring.
/// config.plugin_path is complete afterwards: what the file names, then the folders that come with the program.
[[nodiscard]] Config read_config(const LoadOptions& options, Problems& problems);
/// Step 2: each node's class exists and is of the right kind, and takes the node's config. Fills config_json,
/// shown_json and fan_out.
void check_classes(Config& config, const ClassCatalog& catalog, Problems& problems);
/// Both steps.
[[nodiscard]] Config load_config(const LoadOptions& options, const ClassCatalog& catalog, Problems& problems);

/// Where modules are when the configuration does not say: beside the program, or installed with it.
[[nodiscard]] std::vector<std::string> default_plugin_path();

}  // namespace sluice
