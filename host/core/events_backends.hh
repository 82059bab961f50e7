// The backends of the `events:` dialect: the documents' keys and defaults, as native nodes. Pure.
#pragma once

#include "core/document.hh"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

/// A backend that the user selected, and where.
struct Chosen {
  std::string name;             // "redis_streams": also the key of its section, and the class
  Value where;                  // the place that selected it
  std::optional<Value> config;  // of the spelling {type, config}: wins over the section
};

/// The backends that the documents know.
[[nodiscard]] const std::vector<std::string>& known_backends();

/// Values of the environment that stand over a section's, by its key.
using Overrides = std::vector<std::pair<std::string, Value>>;

/// The native node, without inputs and filter. `section` is interpolated.
[[nodiscard]] Value lower_backend(const Chosen& chosen, Value section, const Overrides& overrides, Problems& problems);

inline constexpr const char* kDlqBackend = "redis_streams";  // of `dlq:`, when it names none

/// `dlq:` of the documents: adds a backend `dlq` to `backends`, which takes the dead letters of all the others.
/// `section` is the one of its backend, `overrides` stand over that one's (events_dlq.cc).
void lower_dlq(const Value& dlq, Value section, const Overrides& overrides, Value& backends, Problems& problems);

}  // namespace sluice
