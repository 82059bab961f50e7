#include "run/few_of_many.hh"

#include "core/event_copy.hh"
#include "core/limits.hh"

namespace sluice {

FewOfMany::Place FewOfMany::place_few(const BlockRef& pull, std::span<const sluice_event> events) {
  if (blocks_.in_use() <= kPullsMax) {
    copies_ = {};
    return {pull, events.data()};
  }
  if (!copies_ || copies_->bytes_used() >= limits::kPullBytes) copies_ = blocks_.take();
  auto* run = copies_->allocate_array<sluice_event>(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    run[i] = copy_event(events[i], copies_->allocate(copy_bytes(events[i])));
  }
  return {copies_, run};
}

}  // namespace sluice
