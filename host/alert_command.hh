// `sluice alert test|render|silence|refused`: the observers of a configuration that send messages to people.
#pragma once

#include "edge/command_line.hh"

namespace sluice {

int alert_command(const AlertCommand& command);

}  // namespace sluice
