// An event as one line of text, in the envelope the configuration names. Pure.
#pragma once

#include <sluice/cpp/event_view.hh>

#include <string>
#include <string_view>

namespace file_plugin {

enum class LineFormat : std::uint8_t { cloudevents, bus_event, domain_event };

LineFormat line_format(std::string_view name);
/// Appends the event and a newline.
void append_line(std::string& out, sluice::EventView event, LineFormat format);

}  // namespace file_plugin
