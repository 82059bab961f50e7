// Events that are few of the many in their pull (a filter, a branch, malformed records), or all of a small one, while
// they wait. A queue's bounds count events, not what they keep in memory: one of 256 keeps the whole pull. So when
// pulls pile up, such events are copied out, together with others like them. Nothing is copied while the lanes keep up.
//
// Threads: the source lane alone.
#pragma once

#include "core/block.hh"

#include <sluice/event.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

class FewOfMany {
 public:
  static constexpr std::size_t kPullsMax = 32;  // of a source, in the graph: beyond it events are copied out of theirs

  /// Both blocks and copies come from `blocks`, which lives longer.
  explicit FewOfMany(BlockPool& blocks) : blocks_(blocks) {}

  struct Place {
    BlockRef block;
    const sluice_event* events;
  };
  /// Where these events wait: where they are, or in a copy. `slice` is how many of the pull were routed together,
  /// `bytes` the sum of these events' texts.
  [[nodiscard]] Place place(const BlockRef& pull, std::size_t slice, std::span<const sluice_event> events,
                            std::uint64_t bytes) {
    const std::uint64_t all = pull->pulled.empty() ? 1 : pull->pulled.size();
    const std::uint64_t kept = pull->bytes_used() * slice / all + kBareBlockBytes;
    const bool few = 2 * events.size() < slice || 2 * bytes < kept;
    return few ? place_few(pull, events) : Place{pull, events.data()};
  }

 private:
  static constexpr std::uint64_t kBareBlockBytes = 16 * 1024;  // what a block with a small event or two takes

  Place place_few(const BlockRef& pull, std::span<const sluice_event> events);

  BlockPool& blocks_;
  BlockRef copies_;  // of several pulls
};

}  // namespace sluice
