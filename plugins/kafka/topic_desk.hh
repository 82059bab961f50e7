// Questions about one topic, on a client of their own that reads with no group: how many messages there are, how old
// the oldest is; and deleting them. For a topic that dead letters go to.
#pragma once

#include "client.hh"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace kafka {

class TopicDesk {
 public:
  struct Held {
    std::uint64_t messages = 0;       // offsets from the oldest to the newest: more than there are on a compacted topic
    std::int64_t oldest_unix_ms = 0;  // 0: there is none, or it says no time
  };

  /// Those of `properties` that a consumer takes count. Throws sluice::BadConfig.
  TopicDesk(const Properties& properties, const std::string& topic);
  ~TopicDesk();

  /// Throws Away, also when time is up.
  [[nodiscard]] Held held(std::chrono::milliseconds timeout);
  /// Deletes what is before `offset` in each partition. Throws std::runtime_error with what the broker says.
  void delete_before(const std::vector<Partition>& partitions, std::chrono::milliseconds timeout);

 private:
  struct Oldest {
    std::int64_t offset = -1, unix_ms = 0;
  };
  struct State;
  std::unique_ptr<State> state_;
  std::map<std::int32_t, Oldest> oldest_;  // by partition: its first message is read once
};

}  // namespace kafka
