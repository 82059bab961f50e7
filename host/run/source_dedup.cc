// Duplicates on the source's lane: between decoding and the first consumer, and again before the source is told.
#include "run/source_lane.hh"

namespace sluice {

/// False: a shared store is asked, and the pull waits for its answer. Its credit goes back meanwhile, so that a store
/// that is away holds up this source and no other.
bool SourceLane::ask_keys() {
  if (dedup_->ask(*pending_.block, now_ms())) {
    sift();
    return true;
  }
  pending_.asking = true;
  give_back_credit();
  return false;
}

void SourceLane::sift() {
  pending_.asking = false;
  dedup_->sift(pending_.page, *pending_.block, event_record_, now_ms());
  pending_.end = pending_.block->pulled.size();
  if (!kept_.empty() && kept_.back().page == pending_.page) kept_.back().event_record = event_record_;
}

bool SourceLane::hear_keys() {
  if (halt_.load(std::memory_order_acquire)) {
    dedup_->forget();
    pending_.asking = false;  // refused with the rest of the pull
    return route_pending();
  }
  if (!dedup_->answered()) return false;
  sift();
  (void)route_pending();
  return true;
}

/// At the end: delivered records still wait for their keys to be recorded, but not for ever. What is told without that
/// is no duplicate to the next run.
bool SourceLane::keys_are_recorded(std::uint64_t now_ns) {
  if (dedup_ == nullptr || !dedup_->waits_for_store()) return true;
  if (finishing_since_ns_ == 0) finishing_since_ns_ = now_ns;
  if (now_ns < finishing_since_ns_ + as_ns(limits::kStartTimeout)) return false;
  const std::uint64_t keys = dedup_->give_up();
  say(Level::warn, "Keys of delivered events are not recorded: their store is away",
      {{"count", std::to_string(keys), true}});
  settle_ready();
  return true;
}

}  // namespace sluice
