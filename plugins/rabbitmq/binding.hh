// What a received message is: a whole event in its body, or an event's data with the attributes in the headers. Pure.
//
// AMQP 0.9.1 has no binding of its own in CloudEvents. Read are the draft that RabbitMQ's users follow (headers
// `ce-NAME`) and the names of the AMQP 1.0 binding (`cloudEvents_NAME`, `cloudEvents:NAME`), which RabbitMQ hands on as
// they are. The mode is the content type's to say, never the headers'.
#pragma once

#include "message.hh"

#include <sluice/writer.h>

#include <cstdint>
#include <vector>

namespace rabbitmq {

struct Reading {
  std::uint32_t flags = 0;  // sluice_record.flags
  /// With SLUICE_ATTRIBUTES the event's own; otherwise what the properties say, for a body that is another envelope.
  std::vector<sluice_attribute> attributes;  // views into the message
};

/// Overwrites `reading`.
void read_message(const Message& message, Reading& reading);

}  // namespace rabbitmq
