// What the server knows of a stream and a group: XINFO STREAM, XINFO GROUPS, XPENDING. Pure.
#pragma once

#include "client.hh"
#include "stream_id.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redis_streams {

struct GroupFacts {
  bool stream_exists = false, group_exists = false;
  std::uint64_t length = 0, pending = 0;
  StreamId first, last_generated, last_delivered;
  std::optional<std::uint64_t> added, read, lag;  // servers before 7.0 do not say

  /// The oldest entry that is left came after what the group was given last: what stood between is gone.
  [[nodiscard]] bool behind_the_trim() const noexcept {
    return group_exists && stream_exists && (length == 0 || first > last_delivered);
  }
  /// Entries that were trimmed away before any consumer of the group got them, since the stream began; as far as the
  /// server can tell.
  [[nodiscard]] std::optional<std::uint64_t> lost_unread() const noexcept;
};

/// `stream` is the answer to XINFO STREAM, `groups` to XINFO GROUPS; errors mean that there is none.
[[nodiscard]] GroupFacts group_facts(const Reply& stream, const Reply& groups, std::string_view group);

/// A delivery that was not acknowledged, as XPENDING lists it.
struct Pending {
  StreamId id;
  std::string consumer;
  std::uint64_t idle_ms = 0, deliveries = 0;
};
[[nodiscard]] std::vector<Pending> pending_of(const Reply& reply);

/// Which of them this consumer is to take over.
struct Choice {
  std::vector<StreamId> claim;
  std::vector<Pending> worn_out;  // delivered too often: left alone, and told
};
struct ChoiceRules {
  bool own = false;                  // this consumer's own, or those of the others
  std::uint64_t idle_ms_min = 0;     // younger ones are at work
  std::uint64_t deliveries_max = 0;  // 0: no bound
};
/// `here`: what this process has already, sorted.
[[nodiscard]] Choice choose(const std::vector<Pending>& pending, const std::vector<StreamId>& here,
                            std::string_view consumer, const ChoiceRules& rules);

/// "redis_version:7.0.15" in what INFO says, as 7 * 1000 + 0; 0 when it is not there.
[[nodiscard]] int server_version(std::string_view info);

}  // namespace redis_streams
