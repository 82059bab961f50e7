// `sluice dlq`: dead letters, looked at, sent again, deleted.
#pragma once

#include "edge/command_line.hh"

namespace sluice {

[[nodiscard]] int dlq_command(const DlqCommand& command);

}  // namespace sluice
