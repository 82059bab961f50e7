// Messages as this module sees them, on their way in and out. Plain values: client.cc turns them into frames and back.
#pragma once

#include <sluice/event.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rabbitmq {

/// One entry of a received headers table, as text: numbers and booleans in their canonical form.
struct Field {
  std::string name, value;
  std::uint32_t type = SLUICE_STRING;  // STRING, INTEGER or BOOLEAN
};

/// A message that came in. Kept and filled again, so that its texts keep their memory.
struct Message {
  std::uint64_t delivery_tag = 0;
  bool redelivered = false;
  std::string exchange, routing_key;
  std::string content_type, correlation_id, message_id;
  std::vector<Field> fields;       // the first field_count of them are this message's
  std::size_t field_count = 0;     // tables and arrays are left out: no attribute can hold them
  std::uint64_t deliveries = 0;    // x-delivery-count: what a quorum queue counted before this delivery
  bool counts_deliveries = false;  // … and whether it did
  std::string body;

  Field& add_field() {
    if (field_count == fields.size()) fields.emplace_back();
    return fields[field_count++];
  }
};

/// A header of a message that goes out; all are texts.
struct Header {
  std::string_view name, value;
};

/// A message that goes out: views into the event and into buffers of whoever made it. Empty = not sent.
struct Outgoing {
  std::string_view routing_key;
  std::string_view content_type, correlation_id, message_id, type, app_id;
  std::optional<std::uint64_t> timestamp;  // seconds since the Unix epoch
  std::vector<Header> headers;
  std::string_view body;
};

}  // namespace rabbitmq
