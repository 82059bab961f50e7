#include "answer.hh"

#include <algorithm>
#include <array>

namespace kafka {
namespace {

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The broker looked at this event and said no; it will say so again.
constexpr std::array<std::string_view, 8> kOfTheEvent{
    "MSG_SIZE_TOO_LARGE", "INVALID_MSG_SIZE", "INVALID_MSG", "INVALID_RECORD",
    "INVALID_TIMESTAMP",  "POLICY_VIOLATION", "_BAD_MSG",    "UNSUPPORTED_FOR_MESSAGE_FORMAT",
};
constexpr std::array<std::string_view, 5> kTooLarge{"MSG_SIZE_TOO_LARGE", "INVALID_MSG_SIZE", "RECORD_LIST_TOO_LARGE",
                                                    "_MSG_SIZE_TOO_LARGE", "MESSAGE_TOO_LARGE"};
// They say something about the topic, and so about the event only when its topic came from the event.
constexpr std::array<std::string_view, 6> kOfTheTopic{"UNKNOWN_TOPIC_OR_PART",      "_UNKNOWN_TOPIC",
                                                      "_UNKNOWN_PARTITION",         "TOPIC_EXCEPTION",
                                                      "TOPIC_AUTHORIZATION_FAILED", "TOPIC_DELETION_DISABLED"};
constexpr std::array<std::string_view, 3> kMissing{"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"};
// Nothing about any event: connections, leaders, replicas, disks, quotas, identities.
constexpr std::array<std::string_view, 32> kAway{"_TRANSPORT",
                                                 "_ALL_BROKERS_DOWN",
                                                 "_MSG_TIMED_OUT",
                                                 "_TIMED_OUT",
                                                 "_TIMED_OUT_QUEUE",
                                                 "_RESOLVE",
                                                 "_SSL",
                                                 "_AUTHENTICATION",
                                                 "_DESTROY",
                                                 "_FATAL",
                                                 "_WAIT_COORD",
                                                 "_LEADER",
                                                 "_OUTDATED",
                                                 "REQUEST_TIMED_OUT",
                                                 "BROKER_NOT_AVAILABLE",
                                                 "LEADER_NOT_AVAILABLE",
                                                 "NOT_LEADER_FOR_PARTITION",
                                                 "REPLICA_NOT_AVAILABLE",
                                                 "NETWORK_EXCEPTION",
                                                 "NOT_ENOUGH_REPLICAS",
                                                 "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
                                                 "KAFKA_STORAGE_ERROR",
                                                 "THROTTLING_QUOTA_EXCEEDED",
                                                 "SASL_AUTHENTICATION_FAILED",
                                                 "CLUSTER_AUTHORIZATION_FAILED",
                                                 "OUT_OF_ORDER_SEQUENCE_NUMBER",
                                                 "UNKNOWN_PRODUCER_ID",
                                                 "INVALID_PRODUCER_EPOCH",
                                                 "PRODUCER_FENCED",
                                                 "OFFLINE_LOG_DIR_NOT_AVAILABLE",
                                                 "FENCED_LEADER_EPOCH",
                                                 "UNKNOWN_LEADER_EPOCH"};

std::string too_large(const Failure& failure, const Sent& sent) {
  std::string reason =
      "an event of " + std::to_string(sent.bytes) + " bytes is too large for topic " + std::string(sent.topic) + ": ";
  if (failure.code < 0 || sent.bytes > sent.limit_bytes) {
    reason += "max_message_bytes is " + std::to_string(sent.limit_bytes);
  } else {
    reason += "the topic's max.message.bytes (or the broker's message.max.bytes) is lower than the " +
              std::to_string(sent.limit_bytes) + " of max_message_bytes; raise it there";
  }
  return reason;
}

}  // namespace

std::string missing_topic(std::string_view topic, std::string_view servers) {
  return "topic " + std::string(topic) + " does not exist on " + std::string(servers) +
         ": create it (kafka-topics.sh --create --topic " + std::string(topic) + "), or let the broker create topics " +
         "(auto.create.topics.enable)";
}

Meaning meaning_of(const Failure& failure, const Sent& sent, bool perhaps_written) {
  if (is_one_of(kTooLarge, failure.name)) return {SLUICE_REJECTED, too_large(failure, sent)};
  const std::string reason = "topic " + std::string(sent.topic) + ": " + failure.text + " (" + failure.name + ")";
  if (is_one_of(kOfTheEvent, failure.name)) return {SLUICE_REJECTED, reason};
  if (failure.name == "_PURGE_QUEUE") return {SLUICE_CANCELLED, reason};
  if (failure.name == "_PURGE_INFLIGHT") return {SLUICE_TIMEOUT, reason};
  if (is_one_of(kOfTheTopic, failure.name)) {
    const sluice_status status = sent.fixed_topic ? SLUICE_AWAY : SLUICE_AGAIN;
    if (is_one_of(kMissing, failure.name)) return {status, missing_topic(sent.topic, "the brokers")};
    return {status, reason};
  }
  if (perhaps_written) return {SLUICE_TIMEOUT, reason};
  return {is_one_of(kAway, failure.name) ? SLUICE_AWAY : SLUICE_AGAIN, reason};
}

std::string explained(const Failure& failure, std::string_view servers) {
  std::string text = std::string(servers) + ": " + failure.text;
  if (failure.name == "_AUTHENTICATION") {
    text += "; look at sasl_mechanism, sasl_username and sasl_password";
  } else if (failure.name == "_SSL") {
    text += "; look at ssl_ca_location and at the broker's certificate";
  }
  return text;
}

}  // namespace kafka
