// A reload puts another instance into a backend's lane. The lane stops offering, gives the old instance a bounded time
// for what it has, stops it as at the end of the host, and offers what it did not answer to the new one, without a
// charge. See run/node_swap.hh.
#include "run/backend_lane.hh"

#include <algorithm>

namespace sluice {

void BackendLane::swap_round(std::uint64_t now_ns) {
  if (swap_door_.asked()) {
    swap_ = swap_door_.take();
    swap_->under_way = in_flight_;
    swap_until_ns_ = now_ns + as_ns(limits::kSwapWait);
  }
  if (!swap_->answered()) {
    if (swap_->backend == nullptr) {
      swap_->answer(NodeSwap::Step::started);
    } else if (in_flight_ == 0 || broken_ || now_ns >= swap_until_ns_) {
      change_node(*swap_, now_ns);
    }
  }
  if (swap_->answered() && swap_->go.load(std::memory_order_acquire)) end_swap();
}

void BackendLane::change_node(NodeSwap& swap, std::uint64_t now_ns) {
  swap.taken_back = in_flight_;
  changing_ = true;
  if (!unusable_) (void)node_->stop(limits::kStartTimeout);
  take_in(now_ns);
  (void)take_completions();
  swap.backend_seat->reset();  // from here on the old instance touches neither this lane nor its memory
  take_in(now_ns);
  (void)take_completions();
  hold_unanswered(now_ns);
  *swap.backend_seat = std::move(swap.backend);
  backend_ = swap.backend_seat->get();
  node_ = backend_;
  node_->attach(this);
  begin_anew();
  // A back-off was the old far side's. The order in which events were held is kept.
  for (Held& held : held_) held.due_ns = std::min(held.due_ns, now_ns);
  std::ranges::make_heap(held_, std::ranges::greater{}, [](const Held& h) { return std::pair(h.due_ns, h.order); });
  changing_ = false;
  start_changed(swap, now_ns);
}

/// What the old instance took and never completed, although stop() says so: it may have been delivered.
void BackendLane::hold_unanswered(std::uint64_t now_ns) {
  if (in_flight_ > 0) stats_.breaches.add_shared();
  const Done silence{0, 1, SLUICE_TIMEOUT, 0, 0, "not completed by the instance that a reload replaced"};
  for (Flight& flight : flights_) {
    for (std::uint32_t i = 0; i < flight.count; ++i) {
      if (is_done(flight.done, i)) continue;
      set_done(flight.done, i);
      --flight.remaining;
      --in_flight_;
      failed(flight, i, silence, now_ns);
    }
  }
  flights_.clear();
  quarantine_.clear();
}

/// Nothing of what was learnt about the old instance says anything about this one.
void BackendLane::begin_anew() {
  started_ = unusable_ = broken_ = full_ = unflushed_ = false;
  break_reason_.clear();
  away_failures_ = 0;
  away_until_ns_ = 0;
  breaker_ = Breaker(delivery_.breaker);
  stats_.breaker.store(breaker_.state(), std::memory_order_relaxed);
  if (delivery_.ordering.by_key && order_ == nullptr) {  // the old one was broken: nothing waited for its key any more
    order_ = std::make_unique<KeyOrder>(delivery_.ordering, keeps_order_);
  }
  set_state(NodeState::starting);
}

void BackendLane::start_changed(NodeSwap& swap, std::uint64_t now_ns) {
  Status status = node_->start(limits::kStartTimeout);
  if (status.ok() || status.code == SLUICE_UNSUPPORTED) {
    started_ = true;
    set_state(NodeState::running);
    return swap.answer(NodeSwap::Step::started);
  }
  swap.text = status.text.empty() ? "the plugin gave no reason" : std::move(status.text);
  if (status.code == SLUICE_AWAY) {
    swap.away = true;
    go_away(now_ns, swap.text, 0);
    return swap.answer(NodeSwap::Step::started);
  }
  unusable_ = true;
  if (swap.way_back) break_node("cannot start again with the configuration before the reload: " + swap.text);
  swap.answer(NodeSwap::Step::failed);
}

void BackendLane::end_swap() {
  if (swap_->delivery) {
    const bool other_breaker = swap_->delivery->breaker != delivery_.breaker;
    const bool other_rate = swap_->delivery->rate_per_second != delivery_.rate_per_second;
    delivery_ = std::move(*swap_->delivery);
    if (other_rate) tokens_ = TokenBucket(delivery_.rate_per_second);
    if (other_breaker) {
      breaker_ = Breaker(delivery_.breaker);
      stats_.breaker.store(breaker_.state(), std::memory_order_relaxed);
    }
  }
  swap_.reset();
}

/// While a swap is under way: when to look again, if nobody wakes the lane before.
std::uint64_t BackendLane::swap_due_ns(std::uint64_t now_ns) const noexcept {
  std::uint64_t next = now_ns + 60'000ull * 1'000'000;
  if (!swap_->answered()) next = std::min(next, std::max(swap_until_ns_, now_ns));
  if (!flights_.empty()) next = std::min(next, flights_.front().offered_ns + as_ns(delivery_.publish_deadline));
  return std::max(next, now_ns);
}

}  // namespace sluice
