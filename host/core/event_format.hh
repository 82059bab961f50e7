// How a source's records become events, and how a field map turns another envelope into one (DESIGN section 3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

enum class FormatKind : std::uint8_t { cloudevents, envelope, raw };

/// One field of an envelope: the JSON member `from` becomes the attribute `to` ("id", "type", "data", or an extension).
struct FieldMap {
  std::string to;
  std::vector<std::string> from;  // spellings, first match wins: snake case, camel case
};

/// The `format:` of a source. Presets (`bus_event`, `domain_event`) are values of this struct, not code of their own.
struct EventFormat {
  FormatKind kind = FormatKind::cloudevents;
  std::string preset;            // as written in the configuration: "cloudevents", "bus_event", "domain_event", …
  std::vector<FieldMap> fields;  // envelope: which members become which attributes
  std::string source;            // constant for events that name none; envelope and raw
  std::string type;              // raw: the type of every event; envelope: for those that name none
  std::string type_prefix;       // put before the envelope's type
  std::string subject;           // constant
  std::string datacontenttype;   // raw: of the bytes; empty = application/octet-stream
  bool raw_header_values =
      false;  // binary mode: header values are taken as they are (peers that do not percent-encode)
};

[[nodiscard]] EventFormat cloudevents_format();
[[nodiscard]] EventFormat bus_event_format(std::string source);
[[nodiscard]] EventFormat domain_event_format(std::string source);

}  // namespace sluice
