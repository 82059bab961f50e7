// What must hold between nodes before a graph is built: inputs exist, nothing runs in a circle, dead letters have a
// place, acknowledgements can be given. Pure.
#pragma once

#include "core/class_info.hh"
#include "core/config.hh"

namespace sluice {

/// `sluice run --stdin`: a source `stdin` that feeds every consumer and backend without inputs, except those that
/// only take dead letters.
void add_stdin_source(Config& config, const Value& root, Problems& problems);

/// Everything that can be said without knowing the classes.
void check_wiring(const Config& config, const Value& root, Problems& problems);

/// What depends on the classes: ports exist, observers have no readers, kinds match.
void check_ports(const Config& config, const ClassCatalog& catalog, Problems& problems);

}  // namespace sluice
