// `sluice emit`: makes one event and sends it.
#pragma once

#include "edge/emit_event.hh"

#include <iosfwd>

namespace sluice {

/// Prints the id and the answer to `out`, what went wrong to `err`. Returns the exit code: 0 for an answer of 2xx, 1
/// for any other or none. Throws SetupError (exit 64) for what cannot be sent as it was asked for. `in` is read for
/// `--data -`.
[[nodiscard]] int emit(const EmitRequest& request, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace sluice
