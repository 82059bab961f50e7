#include "core/event_format.hh"

#include <utility>

namespace sluice {

EventFormat cloudevents_format() {
  EventFormat format;
  format.kind = FormatKind::cloudevents;
  format.preset = "cloudevents";
  return format;
}

EventFormat bus_event_format(std::string source) {
  EventFormat format;
  format.kind = FormatKind::envelope;
  format.preset = "bus_event";
  format.source = std::move(source);
  format.fields = {
      {"type", {"event_type", "type"}}, {"time", {"timestamp", "time"}}, {"data", {"data"}},
      {"id", {"event_id", "id"}},       {"source", {"source"}},          {"subject", {"subject"}},
  };
  return format;
}

EventFormat domain_event_format(std::string source) {
  EventFormat format;
  format.kind = FormatKind::envelope;
  format.preset = "domain_event";
  format.source = std::move(source);
  format.fields = {
      {"id", {"event_id", "eventId"}}, {"type", {"event_type", "eventType"}},
      {"time", {"timestamp"}},         {"subject", {"aggregate_id", "aggregateId"}},
      {"data", {"payload"}},           {"source", {"source"}},
  };
  return format;
}

}  // namespace sluice
