// One client instance of the library, and what producer and consumer have in common: its errors as ours, what it
// notices by itself, whether a broker answers.
#pragma once

#include "client.hh"
#include "library.hh"

#include <chrono>
#include <string>

namespace kafka {

[[nodiscard]] Failure failure_of(rd_kafka_resp_err_t error, const char* text);
/// Destroys it.
[[nodiscard]] Failure failure_of(rd_kafka_error_t* error);
inline void ignore(rd_kafka_error_t* error) noexcept {
  if (error != nullptr) rd_kafka_error_destroy(error);
}

/// Gone when the library's threads are.
struct Instance {
  /// Throws sluice::BadConfig with the library's words.
  Instance(const Properties& properties, Role role);
  ~Instance() { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  rd_kafka_t* handle;
};

/// What both roles are told; false when the event is none of these.
bool tell(rd_kafka_t* handle, rd_kafka_event_t* event, Notices& notices);

[[nodiscard]] Reach reach_by(rd_kafka_t* handle, const std::string& topic, std::chrono::milliseconds timeout,
                             Failure& why);

}  // namespace kafka
