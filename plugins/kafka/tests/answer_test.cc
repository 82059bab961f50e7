#include "answer.hh"

#include "catch.hh"

using kafka::Failure;
using kafka::meaning_of;
using kafka::Sent;

namespace {

sluice_status status_of(const std::string& name, bool fixed = true, bool perhaps = false) {
  return meaning_of(Failure{1, name, "words"}, Sent{"nlp", fixed, 10, 100}, perhaps).status;
}

}  // namespace

TEST_CASE("answers: a connection, a leader, a disk or an identity says nothing about the event", "[kafka][answer]") {
  for (const char* name : {"_TRANSPORT", "_MSG_TIMED_OUT", "_ALL_BROKERS_DOWN", "NOT_ENOUGH_REPLICAS",
                           "KAFKA_STORAGE_ERROR", "_AUTHENTICATION", "CLUSTER_AUTHORIZATION_FAILED"}) {
    CAPTURE(name);
    CHECK(status_of(name) == SLUICE_AWAY);
    CHECK(status_of(name, true, true) == SLUICE_TIMEOUT);
  }
}

TEST_CASE("answers: what the broker says about this event is for good", "[kafka][answer]") {
  for (const char* name : {"MSG_SIZE_TOO_LARGE", "INVALID_RECORD", "POLICY_VIOLATION", "INVALID_MSG"}) {
    CAPTURE(name);
    CHECK(status_of(name) == SLUICE_REJECTED);
  }
  CHECK(status_of("SOMETHING_NEW") == SLUICE_AGAIN);
}

TEST_CASE("answers: an event that is too large names its size and the limit that it broke", "[kafka][answer]") {
  const auto local = meaning_of({10, "MSG_SIZE_TOO_LARGE", ""}, {"nlp", true, 2000, 1000}, false);
  CHECK(local.reason == "an event of 2000 bytes is too large for topic nlp: max_message_bytes is 1000");
  const auto there = meaning_of({10, "MSG_SIZE_TOO_LARGE", ""}, {"nlp", true, 900, 1000}, false);
  CHECK(there.reason.find("the topic's max.message.bytes") != std::string::npos);
  CHECK(there.reason.find("1000") != std::string::npos);
}

TEST_CASE("answers: a missing topic holds all events, or charges the one that named it, and tells the cure",
          "[kafka][answer]") {
  CHECK(status_of("UNKNOWN_TOPIC_OR_PART") == SLUICE_AWAY);
  CHECK(status_of("UNKNOWN_TOPIC_OR_PART", false) == SLUICE_AGAIN);
  CHECK(status_of("TOPIC_AUTHORIZATION_FAILED") == SLUICE_AWAY);
  CHECK(status_of("TOPIC_AUTHORIZATION_FAILED", false) == SLUICE_AGAIN);
  const auto missing = meaning_of({3, "UNKNOWN_TOPIC_OR_PART", ""}, {"nlp", false, 1, 1}, false);
  CHECK(missing.reason.find("topic nlp does not exist") == 0);
  CHECK(missing.reason.find("kafka-topics.sh --create --topic nlp") != std::string::npos);
}

TEST_CASE("answers: what was purged was never tried, or perhaps delivered", "[kafka][answer]") {
  CHECK(status_of("_PURGE_QUEUE") == SLUICE_CANCELLED);
  CHECK(status_of("_PURGE_INFLIGHT") == SLUICE_TIMEOUT);
}

TEST_CASE("answers: refused credentials and certificates point at their keys", "[kafka][answer]") {
  CHECK(kafka::explained({-169, "_AUTHENTICATION", "no"}, "b:1").find("sasl_password") != std::string::npos);
  CHECK(kafka::explained({-181, "_SSL", "no"}, "b:1").find("ssl_ca_location") != std::string::npos);
}
