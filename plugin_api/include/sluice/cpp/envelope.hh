// Writes events in the envelopes that the `format:` of a backend names: CloudEvents JSON as received, or the plain
// objects of programs that do not speak CloudEvents. data keeps its source text byte for byte.
#pragma once

#include "encode.hh"
#include "event_view.hh"
#include "utf8.hh"

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

enum class Envelope {
  cloudevents,         // the event's JSON
  bus_event,           // {"event_type", "timestamp", "data"}
  domain_event,        // {"event_id", "event_type", "aggregate_id", …, "payload"}
  domain_event_camel,  // {"eventId", "eventType", "aggregateId", …, "payload"}
};

/// From a configuration's word; nothing for an unknown one.
[[nodiscard]] inline std::optional<Envelope> envelope_named(std::string_view name) noexcept {
  if (name == "cloudevents") return Envelope::cloudevents;
  if (name == "bus_event") return Envelope::bus_event;
  if (name == "domain_event") return Envelope::domain_event;
  if (name == "domain_event_camel") return Envelope::domain_event_camel;
  return std::nullopt;
}

namespace detail {

/// One JSON object under construction.
class ObjectText {
 public:
  explicit ObjectText(std::string& out) : out_(out) {}
  void string(std::string_view name, std::string_view value) {
    open(name);
    append_json_string(out_, value);
  }
  void bare(std::string_view name, std::string_view value) {
    open(name);
    out_ += value;
  }
  /// JSON as it is; other text as a string; anything else as base64 in a string.
  void data(std::string_view name, const EventView& event) {
    if (!event.data_is_bytes()) return bare(name, event.has_data() ? event.data() : std::string_view("null"));
    if (valid_utf8(event.data())) return string(name, event.data());
    open(name);
    out_ += '"';
    append_base64(out_, event.data());
    out_ += '"';
  }
  void attribute(std::string_view name, const sluice_attribute& attribute) {
    const bool native = attribute.type == SLUICE_INTEGER || attribute.type == SLUICE_BOOLEAN;
    native ? bare(name, view(attribute.value)) : string(name, view(attribute.value));
  }
  void close() { out_ += first_ ? "{}" : "}"; }

 private:
  void open(std::string_view name) {
    out_ += first_ ? '{' : ',';
    first_ = false;
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string& out_;
  bool first_ = true;
};

struct DomainNames {
  std::string_view id, type, subject;
};
inline constexpr DomainNames kSnake{"event_id", "event_type", "aggregate_id"};
inline constexpr DomainNames kCamel{"eventId", "eventType", "aggregateId"};

/// The envelope's own spelling of an extension that came in as, say, correlation_id.
[[nodiscard]] inline std::string_view domain_member(std::string_view extension, bool camel) noexcept {
  struct Spelling {
    std::string_view extension, snake, camel;
  };
  constexpr Spelling kSpellings[] = {
      {"aggregatetype", "aggregate_type", "aggregateType"},
      {"correlationid", "correlation_id", "correlationId"},
      {"causationid", "causation_id", "causationId"},
      {"userid", "user_id", "userId"},
      {"tenantid", "tenant_id", "tenantId"},
      {"eventversion", "event_version", "eventVersion"},
  };
  for (const Spelling& spelling : kSpellings) {
    if (spelling.extension == extension) return camel ? spelling.camel : spelling.snake;
  }
  return extension;
}

inline void append_bus_event(const EventView& event, std::string& out) {
  ObjectText object(out);
  object.string("event_type", event.type());
  if (!event.time().empty()) object.string("timestamp", event.time());
  if (event.has_data()) object.data("data", event);
  object.close();
}

inline void append_domain_event(const EventView& event, bool camel, std::string& out) {
  const DomainNames& names = camel ? kCamel : kSnake;
  ObjectText object(out);
  object.string(names.id, event.id());
  object.string(names.type, event.type());
  if (!event.subject().empty()) object.string(names.subject, event.subject());
  if (!event.time().empty()) object.string("timestamp", event.time());
  for (std::uint32_t i = 0; i < event.raw().extension_count; ++i) {
    const sluice_attribute& extension = event.raw().extensions[i];
    object.attribute(domain_member(view(extension.name), camel), extension);
  }
  if (event.has_data()) object.data("payload", event);
  object.close();
}

}  // namespace detail

/// Appends the event without a newline. JSON that was received over several lines keeps them.
inline void append_event(const EventView& event, Envelope envelope, std::string& out) {
  switch (envelope) {
    case Envelope::cloudevents:
      out += event.json();
      return;
    case Envelope::bus_event:
      detail::append_bus_event(event, out);
      return;
    case Envelope::domain_event:
      detail::append_domain_event(event, false, out);
      return;
    case Envelope::domain_event_camel:
      detail::append_domain_event(event, true, out);
      return;
  }
}

/// The event as one line. JSON may have come over several lines: outside strings, where alone they can stand, line
/// breaks are white space and become spaces.
inline void append_line(const EventView& event, Envelope envelope, std::string& out) {
  const std::size_t start = out.size();
  append_event(event, envelope, out);
  for (const char line_break : {'\n', '\r'}) {
    for (std::size_t at = out.find(line_break, start); at != out.npos; at = out.find(line_break, at)) out[at] = ' ';
  }
  out += '\n';
}

}  // namespace sluice
