// The requirement documents' own settings (`events:` and `event_consumer:`) lowered to the native format, each value
// with the place and the path that its user wrote. Pure.
#pragma once

#include "core/config.hh"
#include "core/interpolate.hh"

#include <optional>
#include <string>
#include <vector>

namespace sluice {

struct Lowered {
  Value native;          // a native tree, interpolated
  std::string disabled;  // not empty: nothing is to be done, and this says why; native has only the host's keys
  EventConsumer consumer;
};

/// Whether a settings file is of this dialect (it has no `sluice: 1`).
[[nodiscard]] bool is_events_dialect(const Value& root);
/// Whether a top-level key is this program's business in a settings file.
[[nodiscard]] bool is_our_section(std::string_view key) noexcept;

[[nodiscard]] Lowered lower_events(const Value& root, const Surroundings& surroundings, bool stdin_source,
                                   Problems& problems);

}  // namespace sluice
