// The classes that the host brings itself. They are classes like those of a module, checked and run the same way.
#pragma once

#include "edge/plugin_library.hh"

namespace sluice {

/// dead_letter_store (a backend), dead_letters (the source of a redrive), and small ones for
/// sluice dlq and sluice replay.
void add_host_classes(PluginLibrary& library);

}  // namespace sluice
