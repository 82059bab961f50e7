// Offering events to the node: when, how many, which first; and what waits too long.
#include "run/backend_lane.hh"

#include <algorithm>
#include <utility>

namespace sluice {

bool BackendLane::may_offer(std::uint64_t now_ns) {
  if (broken_ || full_ || at_flight_bound() || now_ns < away_until_ns_) return false;
  const BreakerState before = breaker_.state();
  const bool allowed = breaker_.allows(now_ns);
  if (breaker_.state() != before) {
    stats_.breaker.store(breaker_.state(), std::memory_order_relaxed);
    say(Level::info, "Circuit breaker is half-open: trying one event");
  }
  return allowed;
}

std::uint32_t BackendLane::offer_size(std::uint64_t now_ns) {
  std::uint32_t size = std::min({delivery_.max_batch, kFlightEvents, tokens_.available(now_ns)});
  if (breaker_.half_open()) size = std::min(size, 1u);
  if (delivery_.max_in_flight > 0) {
    size = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, delivery_.max_in_flight - in_flight_));
  }
  return size;
}

bool BackendLane::offer(std::uint64_t now_ns) {
  bool progress = false;
  // One lane round offers a bounded amount, so that completions and wakes are seen in between.
  for (int round = 0; round < 32 && may_offer(now_ns); ++round) {
    const std::uint32_t size = offer_size(now_ns);
    if (size == 0) break;
    bool took = false;
    if (!held_.empty() && held_.front().due_ns <= now_ns) {
      took = offer_held(now_ns, size);
    } else if (!queue_.empty() && !order_is_full()) {
      took = order_ == nullptr ? offer_queued(now_ns, size) : offer_in_order(now_ns, size);
    } else {
      break;
    }
    progress |= took;
    progress |= take_completions();
    if (!break_reason_.empty()) break_node(std::exchange(break_reason_, {}));
    if (!took) break;
  }
  return progress;
}

/// One publish call. The flight is registered before it, because completions may come before it returns.
bool BackendLane::publish(Flight& flight, std::uint64_t now_ns, std::uint32_t& taken) {
  flight.first = next_ticket_;
  flight.offered_ns = now();
  const std::uint32_t offered = flight.count;
  const sluice_batch batch{sizeof(sluice_batch), offered, sizeof(sluice_event), 0, flight.events, flight.first};
  std::string error;
  taken = 0;
  const sluice_status status = backend_->publish(batch, taken, error);
  if (taken > offered) {
    stats_.breaches.add_shared();
    break_reason_ = "took " + std::to_string(taken) + " events of " + std::to_string(offered) + " that it was offered";
    taken = offered;
  }
  flight.count = flight.remaining = taken;
  next_ticket_ += taken;
  in_flight_ += taken;
  if (taken > 0) {
    unflushed_ = true;
    tokens_.spend(taken);
    if (breaker_.half_open()) breaker_.probe_sent();
  }
  switch (status) {
    case SLUICE_OK:
    case SLUICE_AGAIN:
      if (taken < offered && local_.empty()) full_ = true;
      break;
    case SLUICE_AWAY:
      go_away(now_ns, error, 0);
      break;
    default:
      if (break_reason_.empty()) break_reason_ = error.empty() ? "publish() failed" : error;
      break;
  }
  return taken > 0;
}

bool BackendLane::offer_queued(std::uint64_t now_ns, std::uint32_t max_events) {
  auto& [run, next] = queue_.front();
  Flight& flight = flights_.emplace_back();
  flight.claim = claim_on(run);
  flight.block = run.block;
  flight.events = run.events + next;
  flight.count = std::min(run.count - next, max_events);
  const std::uint32_t offered_from = next;
  std::uint32_t taken = 0;
  (void)publish(flight, now_ns, taken);
  if (taken == 0) {
    flights_.pop_back();
    return false;
  }
  next = offered_from + taken;
  if (next == run.count) queue_.pop_front();
  return true;
}

bool BackendLane::offer_held(std::uint64_t now_ns, std::uint32_t max_events) {
  std::vector<Held> batch;
  while (batch.size() < max_events && !held_.empty() && held_.front().due_ns <= now_ns) batch.push_back(take_held());
  std::ranges::sort(batch, {}, &Held::order);
  Flight& flight = flights_.emplace_back();
  flight.count = static_cast<std::uint32_t>(batch.size());
  flight.views = std::make_unique<sluice_event[]>(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) flight.views[i] = batch[i].event.view();
  flight.events = flight.views.get();
  flight.held = std::move(batch);
  std::uint32_t taken = 0;
  (void)publish(flight, now_ns, taken);
  for (std::size_t i = taken; i < flight.held.size(); ++i) {
    held_.push_back(std::move(flight.held[i]));
    std::ranges::push_heap(held_, std::ranges::greater{}, [](const Held& h) { return std::pair(h.due_ns, h.order); });
  }
  flight.held.resize(taken);
  if (taken == 0) flights_.pop_back();
  return taken > 0;
}

void BackendLane::hold(const sluice_event& event, Claim claim, std::uint64_t due_ns, std::string reason,
                       std::int32_t code) {
  Held held;
  held.event = OwnedEvent(event);
  held.claim = claim;
  held.due_ns = due_ns;
  held.order = next_order_++;
  waiting_untold_ |= claim.tell_waiting;
  held.reason = std::move(reason);
  held.code = code;
  held_.push_back(std::move(held));
  std::ranges::push_heap(held_, std::ranges::greater{}, [](const Held& h) { return std::pair(h.due_ns, h.order); });
}

BackendLane::Held BackendLane::take_held() {
  std::ranges::pop_heap(held_, std::ranges::greater{}, [](const Held& h) { return std::pair(h.due_ns, h.order); });
  Held held = std::move(held_.back());
  held_.pop_back();
  return held;
}

/// Events that waited longer than max_age are given up, wherever they wait.
void BackendLane::expire(std::uint64_t now_ns) {
  const std::uint64_t max_age = as_ns(delivery_.retry.max_age);
  const auto too_old = [&](std::uint64_t queued_ns) { return queued_ns + max_age <= now_ns; };
  while (!queue_.empty() && too_old(queue_.front().first.queued_ns)) {
    auto [run, next] = std::move(queue_.front());
    queue_.pop_front();
    const Claim claim = claim_on(run);
    const std::string reason = "not delivered within " + std::to_string(delivery_.retry.max_age.count()) + " ms" +
                               (stats_.error().first.empty() ? "" : ": " + stats_.error().first);
    for (std::uint32_t i = next; i < run.count; ++i) {
      stats_.expired.add();
      if (publish_log_ != nullptr) publish_log_->failed(run.events[i], reason, now_ns);
      give_up(run.events[i], claim, Outcome::retry, 0, reason);
    }
  }
  const std::string too_late = "not delivered within " + std::to_string(delivery_.retry.max_age.count()) + " ms";
  give_up_parked([&](const Held& held) { return too_old(held.claim.queued_ns); }, too_late, &stats_.expired, now_ns);
  if (std::ranges::none_of(held_, [&](const Held& held) { return too_old(held.claim.queued_ns); })) return;
  std::vector<Held> keep, gone;
  for (Held& held : held_) (too_old(held.claim.queued_ns) ? gone : keep).push_back(std::move(held));
  held_ = std::move(keep);
  std::ranges::make_heap(held_, std::ranges::greater{}, [](const Held& h) { return std::pair(h.due_ns, h.order); });
  for (const Held& held : gone) {
    stats_.expired.add();
    const std::string reason = too_late + ": " + held.reason;
    if (publish_log_ != nullptr) publish_log_->failed(held.event.view(), reason, now_ns);
    give_up(held.event.view(), held.claim, Outcome::retry, held.code, reason);
    left(held.event.view(), true);
  }
}

/// `on_open: dead_letter`: an open breaker sheds instead of holding.
void BackendLane::shed_while_open(std::uint64_t now_ns) {
  if (delivery_.breaker.on_open != BreakerPolicy::OnOpen::dead_letter) return;
  if (breaker_.state() != BreakerState::open || now_ns >= breaker_.open_until_ns()) return;
  while (!queue_.empty()) {
    auto [run, next] = std::move(queue_.front());
    queue_.pop_front();
    const Claim claim = claim_on(run);
    for (std::uint32_t i = next; i < run.count; ++i) {
      give_up(run.events[i], claim, Outcome::retry, 0, "the circuit breaker is open");
    }
  }
  give_up_parked([](const Held&) { return true; }, "the circuit breaker is open", nullptr, now_ns);
  for (const Held& held : std::exchange(held_, {})) {
    give_up(held.event.view(), held.claim, Outcome::retry, held.code, "the circuit breaker is open: " + held.reason);
    left(held.event.view(), true);
  }
}

}  // namespace sluice
