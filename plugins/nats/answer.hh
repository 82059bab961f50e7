// What JetStream says about a published message, and what that means for the event. answer.cc alone knows simdjson.
#pragma once

#include <sluice/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace nats {

struct Answer {
  sluice_status status = SLUICE_OK;
  bool duplicate = false;  // the stream has a message with this id already: delivered before
  std::int32_t code = 0;   // JetStream's err_code
  std::string reason;
};

/// A stream's answer to a message that was published to `subject`.
[[nodiscard]] Answer read_answer(std::string_view body, std::string_view subject);

/// When nobody answers for the subject. `fixed_subject`: every event goes there, so it is not the event's fault.
[[nodiscard]] Answer nobody_there(std::string_view subject, bool fixed_subject);

/// What CONSUMER.INFO says. False when the consumer is gone, or the answer cannot be read.
struct ConsumerState {
  std::uint64_t pending = 0, ack_pending = 0, redelivered = 0;
};
[[nodiscard]] bool read_consumer_state(std::string_view body, ConsumerState& out);

}  // namespace nats
