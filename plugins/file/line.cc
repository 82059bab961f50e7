#include "line.hh"

#include <algorithm>

namespace file_plugin {

LineFormat line_format(std::string_view name) {
  if (name == "bus_event") return LineFormat::bus_event;
  if (name == "domain_event") return LineFormat::domain_event;
  return LineFormat::cloudevents;
}

void append_line(std::string& out, sluice::EventView event, LineFormat) {
  const std::size_t from = out.size();
  out.append(event.json());
  // Valid JSON holds newlines only between its tokens, where a space says the same.
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), '\n', ' ');
  out += '\n';
}

}  // namespace file_plugin
