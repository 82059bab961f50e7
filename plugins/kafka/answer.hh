// What an error of Kafka means for the event: away, retried, or refused for good, and what a person can do about it.
#pragma once

#include "client.hh"

#include <sluice/types.h>

#include <string>
#include <string_view>

namespace kafka {

struct Meaning {
  sluice_status status = SLUICE_AGAIN;
  std::string reason;
};

struct Sent {
  std::string_view topic;
  bool fixed_topic = true;  // every event goes there: what is wrong with it says nothing about this event
  std::uint64_t bytes = 0;
  std::uint64_t limit_bytes = 0;
};

/// `perhaps_written`: the broker may have the event all the same.
[[nodiscard]] Meaning meaning_of(const Failure& failure, const Sent& sent, bool perhaps_written);

/// Why the brokers cannot be used, for people: the library's words with a cure where one is known.
[[nodiscard]] std::string explained(const Failure& failure, std::string_view servers);

/// The text for a topic that is not there.
[[nodiscard]] std::string missing_topic(std::string_view topic, std::string_view servers);

}  // namespace kafka
