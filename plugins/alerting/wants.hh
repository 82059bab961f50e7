// Which event types a rule's filter can let through at all, so that the host need not keep the others for it. When a
// filter cannot be put into types it is every type: an event too many costs little, one too few is an alert missed.
#pragma once

#include "json_reader.hh"

#include <optional>
#include <string>
#include <vector>

namespace alerting {

/// Patterns as in `types:` for the filter that stands at the pointer; nothing: every type.
[[nodiscard]] std::optional<std::vector<std::string>> types_of_filter(const JsonReader& json, const std::string& at);

}  // namespace alerting
