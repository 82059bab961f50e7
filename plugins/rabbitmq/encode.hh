// An event as a message: routing key, properties, headers and body. Pure; keeps its buffers between calls.
#pragma once

#include "message.hh"
#include "options.hh"

#include <sluice/cpp/event_view.hh>

#include <string>

namespace rabbitmq {

class Encoder {
 public:
  explicit Encoder(const BackendOptions& options) : options_(options) {}

  /// False: the event cannot be a message, why() says so. The message's texts hold until the next call, as long as the
  /// event's memory does. `message_bytes_max` and `headers_bytes_max` are what the server takes.
  [[nodiscard]] bool encode(const sluice::EventView& event, std::uint64_t message_bytes_max,
                            std::uint64_t headers_bytes_max, Outgoing& message);
  [[nodiscard]] const std::string& why() const noexcept { return why_; }

 private:
  void add_header(std::string_view attribute, std::string_view value, Outgoing& message);
  void encode_binary(const sluice::EventView& event, Outgoing& message);
  void encode_structured(const sluice::EventView& event, Outgoing& message);

  const BackendOptions& options_;
  std::string routing_key_, body_, names_, why_;
  std::size_t headers_bytes_ = 0;
};

}  // namespace rabbitmq
