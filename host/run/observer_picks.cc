#include "run/observer_picks.hh"

#include "core/owned_event.hh"

namespace sluice {

void ObserverPicks::look_again() {
  seen_ = wants_.version();  // first: what changes in between is seen the next time
  types_ = wants_.types();
  known_.fill(Answer::ask);
}

std::pair<BlockRef, const sluice_event*> ObserverPicks::hold(const BlockRef& pull, std::uint64_t share,
                                                             std::span<const sluice_event> events,
                                                             std::uint64_t bytes) {
  if (bytes >= share / 2) return {pull, events.data()};
  std::size_t size = events.size() * sizeof(sluice_event);
  for (const sluice_event& event : events) size += copied_bytes(event);
  if (!own_ || own_->bytes_used() + size > limits::kPullBytes) own_ = blocks_.take();
  char* memory = own_->allocate(size);
  auto* views = reinterpret_cast<sluice_event*>(memory);
  memory += events.size() * sizeof(sluice_event);
  for (std::size_t i = 0; i < events.size(); ++i) {
    views[i] = copy_event(events[i], memory);
    memory += copied_bytes(events[i]);
  }
  return {own_, views};
}

}  // namespace sluice
