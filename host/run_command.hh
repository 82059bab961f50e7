// `sluice run`: from a configuration to a running graph and back to an exit code.
#pragma once

#include "edge/command_line.hh"

namespace sluice {

[[nodiscard]] int run_command(const RunCommand& command);

}  // namespace sluice
