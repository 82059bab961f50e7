// One member of an event's data as text: for log lines and other places that are not the data path.
#pragma once

#include <sluice/event.h>

#include <string>
#include <string_view>

namespace sluice {

/// The value of data's top-level member `name`: a string's text, a scalar as written; empty when there is none.
[[nodiscard]] std::string data_field(const sluice_event& event, std::string_view name);

}  // namespace sluice
