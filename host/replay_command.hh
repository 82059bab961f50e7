// `sluice replay`: past events, out of a log or a stream, through the lane of one backend.
#pragma once

#include "edge/command_line.hh"

namespace sluice {

[[nodiscard]] int replay_command(const ReplayCommand& command);

}  // namespace sluice
