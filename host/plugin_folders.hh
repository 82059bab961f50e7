// Where commands look for modules, and the commands that read a configuration without running it.
#pragma once

#include "edge/command_line.hh"

#include <string>
#include <vector>

namespace sluice {

/// What was asked for, or where a run would look.
[[nodiscard]] std::vector<std::string> plugin_folders(const std::vector<std::string>& asked);

[[nodiscard]] int check_configs(const CheckCommand& command);
[[nodiscard]] int show_graph(const GraphCommand& command);

}  // namespace sluice
