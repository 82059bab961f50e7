// Order by key on a backend's lane: what may be offered now, what waits behind an earlier event of its key, and who
// goes next when that one is done.
#include "run/backend_lane.hh"

#include <algorithm>

namespace sluice {

void BackendLane::set_keeps_order() noexcept {
  keeps_order_ = true;
  if (order_ != nullptr) order_ = std::make_unique<KeyOrder>(delivery_.ordering, true);
}

/// As many events from the front as may go together: up to the first that has to wait. Those that have to wait at the
/// very front are parked, until as many wait as may.
std::uint32_t BackendLane::enter_in_order(const Run& run, std::uint32_t& next, std::uint32_t max_events) {
  entered_.clear();
  while (next + entered_.size() < run.count && entered_.size() < max_events) {
    const sluice_event& event = run.events[next + entered_.size()];
    const auto key = order_->key_of(event);
    if (!key || order_->enter(*key)) {
      entered_.push_back(key);
      continue;
    }
    if (!entered_.empty() || order_->full()) break;
    park(event, claim_on(run), *key, next_order_++);
    ++next;
  }
  return static_cast<std::uint32_t>(entered_.size());
}

bool BackendLane::offer_in_order(std::uint64_t now_ns, std::uint32_t max_events) {
  auto& [run, next] = queue_.front();
  const std::uint32_t before = next;
  const std::uint32_t count = enter_in_order(run, next, max_events);
  if (count > 0) {
    Flight& flight = flights_.emplace_back();
    flight.claim = claim_on(run);
    flight.block = run.block;
    flight.events = run.events + next;
    flight.count = count;
    flight.order = next_order_;
    next_order_ += count;
    std::uint32_t taken = 0;
    (void)publish(flight, now_ns, taken);
    for (std::uint32_t i = count; i-- > taken;) {
      if (entered_[i]) order_->step_back(*entered_[i]);
    }
    if (taken == 0) flights_.pop_back();
    next += taken;
  }
  const bool moved = next != before;
  if (next == run.count) queue_.pop_front();
  return moved;
}

void BackendLane::park(const sluice_event& event, const Claim& claim, const KeyHash& key, std::uint64_t number) {
  const std::uint32_t slot = order_->wait(key, number);
  if (slot >= parked_.size()) parked_.resize(slot + 1);
  Held& held = parked_[slot];
  held.event = OwnedEvent(event);
  held.claim = claim;
  waiting_untold_ |= claim.tell_waiting;
}

/// Tried again later: its key waits for it. Where one before it is held already it waits behind that one.
void BackendLane::hold_in_order(const Flight& flight, std::uint32_t index, const Claim& claim, std::uint64_t due_ns,
                                const Done& done) {
  const sluice_event& event = flight.events[index];
  if (order_ != nullptr) {
    const auto key = order_->key_of(event);
    if (key && !order_->fails(*key, !flight.held.empty())) return park(event, claim, *key, flight.order + index);
  }
  hold(event, claim, due_ns, done.reason, done.code);
}

/// The event is done with, one way or the other: the next one of its key is offered as soon as anything is.
void BackendLane::left(const sluice_event& event, bool was_held) {
  if (order_ == nullptr) return;
  const auto key = order_->key_of(event);
  if (!key) return;
  const std::uint32_t slot = order_->leave(*key, was_held);
  if (slot == KeyOrder::kNone) return;
  Held next = std::move(parked_[slot]);
  next.due_ns = 0;
  next.order = next_order_++;
  held_.push_back(std::move(next));
  std::ranges::push_heap(held_, std::ranges::greater{}, [](const Held& h) { return std::pair(h.due_ns, h.order); });
}

void BackendLane::give_up_parked(const std::function<bool(const Held&)>& chosen, const std::string& why, Counter* count,
                                 std::uint64_t now_ns) {
  if (order_ == nullptr || order_->waiting() == 0) return;
  for (std::uint32_t slot = 0; slot < order_->slots(); ++slot) {
    if (!order_->waits_in(slot) || !chosen(parked_[slot])) continue;
    const Held held = std::move(parked_[slot]);
    order_->withdraw(slot);
    if (count != nullptr) count->add();
    const std::string reason = why + ": it waited for an earlier event of its key";
    if (publish_log_ != nullptr) publish_log_->failed(held.event.view(), reason, now_ns);
    give_up(held.event.view(), held.claim, Outcome::retry, 0, reason);
  }
}

}  // namespace sluice
