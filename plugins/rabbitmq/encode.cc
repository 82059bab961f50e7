#include "encode.hh"

#include <algorithm>

namespace rabbitmq {
namespace {

constexpr std::size_t kShortStringMax = 255;
constexpr char kCloudEvents[] = "application/cloudevents+json";
constexpr char kJson[] = "application/json";
// A header's overhead on the wire: the name's length, the kind, the value's length.
constexpr std::size_t kHeaderBytes = 6;

/// A property is a convenience for readers: one that does not fit is left out, its attribute travels whole elsewhere.
std::string_view short_or_nothing(std::string_view text) {
  return text.size() <= kShortStringMax ? text : std::string_view();
}

}  // namespace

bool Encoder::encode(const sluice::EventView& event, std::uint64_t message_bytes_max, std::uint64_t headers_bytes_max,
                     Outgoing& message) {
  message.headers.clear();
  headers_bytes_ = 0;
  why_.clear();
  if (options_.routing_key.is_fixed()) {
    message.routing_key = options_.routing_key.fixed_text();
  } else {
    routing_key_.clear();
    if (!options_.routing_key.append(event, routing_key_)) return why_ = options_.routing_key.missing(event), false;
    message.routing_key = routing_key_;
  }
  if (message.routing_key.size() > kShortStringMax) {
    why_ = "its routing key would be " + std::to_string(message.routing_key.size()) + " bytes long; 255 is the limit";
    return false;
  }
  message.message_id = short_or_nothing(event.id());
  message.type = short_or_nothing(event.type());
  message.app_id = options_.app_id;
  message.correlation_id = short_or_nothing(event.extension("correlationid").value_or(std::string_view()));
  const auto seconds = event.time_seconds();
  message.timestamp = seconds && *seconds >= 0 ? std::optional(static_cast<std::uint64_t>(*seconds)) : std::nullopt;
  options_.binary ? encode_binary(event, message) : encode_structured(event, message);
  if (!why_.empty()) return false;
  if (message.body.size() > message_bytes_max) {
    why_ = "its " + std::to_string(message.body.size()) +
           " bytes are more than the server takes (max_message_bytes: " + std::to_string(message_bytes_max) + ")";
    return false;
  }
  if (headers_bytes_ > headers_bytes_max) {
    why_ = "its attributes take " + std::to_string(headers_bytes_) + " bytes of headers; " +
           std::to_string(headers_bytes_max) + " fit (frame_max); mode: structured has no such limit";
    return false;
  }
  return true;
}

void Encoder::add_header(std::string_view attribute, std::string_view value, Outgoing& message) {
  if (attribute.size() + options_.header_prefix.size() > kShortStringMax) {
    why_ = "an attribute's name is too long for a header (255 bytes)";
    return;
  }
  const std::size_t at = names_.size();
  names_ += options_.header_prefix;
  names_ += attribute;
  message.headers.push_back({std::string_view(names_).substr(at), value});
  headers_bytes_ += names_.size() - at + value.size() + kHeaderBytes;
}

void Encoder::encode_binary(const sluice::EventView& event, Outgoing& message) {
  // Headers point into names_, which must therefore not move while they are gathered.
  std::size_t names = 8 * (options_.header_prefix.size() + sizeof "specversion");
  for (std::uint32_t i = 0; i < event.raw().extension_count; ++i) {
    names += options_.header_prefix.size() + event.raw().extensions[i].name.len;
  }
  names_.clear();
  names_.reserve(names);
  add_header("specversion", "1.0", message);
  add_header("id", event.id(), message);
  add_header("source", event.source(), message);
  add_header("type", event.type(), message);
  if (!event.subject().empty()) add_header("subject", event.subject(), message);
  if (!event.time().empty()) add_header("time", event.time(), message);
  if (!event.dataschema().empty()) add_header("dataschema", event.dataschema(), message);
  for (std::uint32_t i = 0; i < event.raw().extension_count; ++i) {
    const sluice_attribute& extension = event.raw().extensions[i];
    add_header(sluice::view(extension.name), sluice::view(extension.value), message);
  }
  message.content_type = event.datacontenttype();
  if (message.content_type.size() > kShortStringMax)
    why_ = "its datacontenttype is longer than the 255 bytes of a property";
  // Data in the JSON format is JSON when nothing is said of it; here that has to be said.
  if (message.content_type.empty() && event.has_data() && !event.data_is_bytes()) message.content_type = kJson;
  message.body = event.has_data() ? event.data() : std::string_view();
}

void Encoder::encode_structured(const sluice::EventView& event, Outgoing& message) {
  if (options_.format == sluice::Envelope::cloudevents) {
    message.content_type = kCloudEvents;
    message.body = event.json();
    return;
  }
  message.content_type = kJson;
  body_.clear();
  sluice::append_event(event, options_.format, body_);
  message.body = body_;
}

}  // namespace rabbitmq
