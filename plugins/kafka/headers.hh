// The Kafka binding of CloudEvents 1.0: which mode a message is in, and how attributes travel in headers. Values are
// raw UTF-8: nothing is percent-encoded or quoted. Header names are case-sensitive. There is no batched mode in the
// binding.
#pragma once

#include "client.hh"

#include <sluice/writer.h>
#include <sluice/cpp/event_view.hh>

#include <string>
#include <string_view>
#include <vector>

namespace kafka {

inline constexpr std::string_view kStructuredType = "application/cloudevents+json; charset=UTF-8";

enum class Mode {
  binary,      // attributes in ce_ headers, the value is the data
  structured,  // the value is one event in JSON
  batched,     // the value is a JSON array of events
  plain,       // no word about CloudEvents: what the value is, is for the source's format to say
  unreadable,  // a CloudEvents format other than JSON
};

/// What a source was told about messages that the binding does not provide for.
struct Leniency {
  bool takes_plain = true;     // a message without a word about CloudEvents is read by the source's format
  bool takes_batches = false;  // a JSON array of events in one message
};

[[nodiscard]] Mode mode_of(const std::vector<Header>& headers) noexcept;

/// The attributes of a message in binary mode as sluice_record.headers wants them. They refer to the headers. One that
/// names its schema in a header, as newer serializers write it, has that in the attribute `valueschemaid`.
void attributes_of(const std::vector<Header>& headers, std::vector<sluice_attribute>& out);

/// Says in a record, whose bytes are the message's value, what kind of message it is. What is no CloudEvent for us goes
/// to the host with the attributes that it has, and is refused there. `attributes` must live as long as the record.
void describe(const std::vector<Header>& headers, bool has_value, Leniency leniency, sluice_record& record,
              std::vector<sluice_attribute>& attributes);

/// The headers of an event in binary mode. Names lie in `names`, which is grown as needed; values refer to the event.
void headers_of(const sluice::EventView& event, std::vector<std::string>& names, std::vector<Header>& out);

}  // namespace kafka
