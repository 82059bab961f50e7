// Where the events of the `events:` dialect come from: the HTTP door, the queues of RabbitMQ, standard input. Pure.
#pragma once

#include "core/interpolate.hh"

namespace sluice {

class MapReader;

/// The sources, by name. `events` is the reader of the section `section`, whose `ingest` it takes.
[[nodiscard]] Value read_doors(MapReader& events, const Value& section, const Surroundings& surroundings,
                               bool stdin_source, Problems& problems);

}  // namespace sluice
