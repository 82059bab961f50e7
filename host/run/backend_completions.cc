// What became of the events that the node took: each completion finds its ticket, and its event goes on, comes again,
// or is given up.
#include "run/backend_lane.hh"

#include <sluice/ext/codes.h>

#include <algorithm>

namespace sluice {

bool BackendLane::take_completions() {
  if (local_.empty()) return false;
  const std::uint64_t now_ns = now();  // fresh: a latency ends when the answer is seen, not when the round began
  work_.swap(local_);
  for (const Done& done : work_) on_done(done, now_ns);
  work_.clear();
  drop_finished_flights();
  full_ = false;
  return true;
}

void BackendLane::on_done(const Done& done, std::uint64_t now_ns) {
  std::uint64_t ticket = done.ticket;
  std::uint64_t left = done.count;
  while (left > 0) {
    auto flight = std::ranges::upper_bound(flights_, ticket, {}, &Flight::first);
    if (flight == flights_.begin()) break;
    --flight;
    if (ticket >= flight->first + flight->count) break;
    const auto from = static_cast<std::uint32_t>(ticket - flight->first);
    const auto to = static_cast<std::uint32_t>(std::min<std::uint64_t>(flight->count, from + left));
    on_flight_done(*flight, from, to, done, now_ns);
    ticket += to - from;
    left -= to - from;
  }
  if (left == 0 || completed_late(ticket, left)) return;
  stats_.breaches.add_shared();
  if (!broken_ && !finishing_) {
    break_node("completed ticket " + std::to_string(ticket) + ", which " +
               (ticket >= next_ticket_ ? "was never given out" : "was completed before"));
  }
}

/// A stopped node may still complete what it had taken: that was answered without it, and only its memory is freed now.
bool BackendLane::completed_late(std::uint64_t ticket, std::uint64_t count) {
  for (Flight& flight : quarantine_) {
    if (ticket < flight.first || ticket + count > flight.first + flight.count) continue;
    for (std::uint64_t i = ticket - flight.first; i < ticket - flight.first + count; ++i) {
      if (is_done(flight.done, static_cast<std::uint32_t>(i))) return false;
      set_done(flight.done, static_cast<std::uint32_t>(i));
      --flight.remaining;
    }
    if (flight.remaining == 0) std::erase_if(quarantine_, [](const Flight& f) { return f.remaining == 0; });
    return true;
  }
  return false;
}

void BackendLane::on_flight_done(Flight& flight, std::uint32_t from, std::uint32_t to, const Done& done,
                                 std::uint64_t now_ns) {
  for (std::uint32_t i = from; i < to; ++i) {
    if (!is_done(flight.done, i)) continue;
    stats_.breaches.add_shared();
    if (!broken_ && !finishing_) break_node("completed ticket " + std::to_string(flight.first + i) + " twice");
    return;
  }
  for (std::uint32_t i = from; i < to; ++i) set_done(flight.done, i);
  const std::uint32_t count = to - from;
  flight.remaining -= count;
  in_flight_ -= count;
  stats_.publish_ns.add(now_ns - flight.offered_ns, count);
  if (done.status == SLUICE_OK) {
    delivered(flight, from, to, now_ns);
    if (flight.remaining == 0) flight.block = {};  // the last reader of this piece; its place waits for those before it
    return;
  }
  if (done.status == SLUICE_AGAIN) breaker_result(false, count, now_ns);
  if (done.status == SLUICE_REJECTED) breaker_result(true, count, now_ns);  // the far side answers: it is well
  if (done.status == SLUICE_CANCELLED) breaker_.probe_void();
  if ((done.status == SLUICE_AWAY || done.status == SLUICE_TIMEOUT) && !finishing_ && !changing_) {
    go_away(now_ns, done.reason, done.retry_after_ms);
  }
  for (std::uint32_t i = from; i < to; ++i) failed(flight, i, done, now_ns);
}

void BackendLane::delivered(Flight& flight, std::uint32_t from, std::uint32_t to, std::uint64_t now_ns) {
  const std::int64_t unix_ns = world_.clock.unix_ns();
  std::uint64_t bytes = 0;
  std::uint32_t run_from = from;  // of consecutive origins that are told together
  const auto claim_of = [&](std::uint32_t i) -> const Claim& {
    return flight.held.empty() ? flight.claim : flight.held[i].claim;
  };
  for (std::uint32_t i = from; i < to; ++i) {
    const sluice_event& event = flight.events[i];
    stats_.by_type[type_id(event)].out.add();
    stats_.payload_bytes.add(event.json.len);
    if ((event.flags & SLUICE_HAS_TIME) != 0) {
      const std::int64_t age = unix_ns - event.time_s * 1'000'000'000 - event.time_ns;
      stats_.event_age_ns.add(age > 0 ? static_cast<std::uint64_t>(age) : 0);
    }
    bytes += event.json.len;
    if (publish_log_ != nullptr) publish_log_->published(event, now_ns - flight.offered_ns, now_ns);
    const bool last = i + 1 == to;
    const bool together =
        !last && flight.held.empty() && event.origin != kNoOrigin && flight.events[i + 1].origin == event.origin + 1;
    if (together) continue;
    tell(claim_of(run_from), flight.events[run_from].origin, i + 1 - run_from, Outcome::delivered, 0, {});
    run_from = i + 1;
  }
  free_credit(to - from, bytes);
  if (order_ != nullptr) {
    for (std::uint32_t i = from; i < to; ++i) left(flight.events[i], !flight.held.empty());
  }
  breaker_result(true, to - from, now_ns);
  if (away_failures_ > 0) came_back();
}

void BackendLane::failed(Flight& flight, std::uint32_t index, const Done& done, std::uint64_t now_ns) {
  const sluice_event& event = flight.events[index];
  if (order_ != nullptr) order_->one_failed();
  Claim claim = flight.held.empty() ? flight.claim : flight.held[index].claim;
  if (claim.first_ns == 0) claim.first_ns = flight.offered_ns;
  TypeCounters& counters = stats_.by_type[type_id(event)];
  if (finishing_ || broken_) {
    if (done.status == SLUICE_REJECTED) {
      give_up(event, claim, Outcome::rejected, done.code, done.reason);
    } else {
      abandoned_.fetch_add(1, std::memory_order_relaxed);
      tell(claim, event.origin, 1, Outcome::retry, SLUICE_CODE_STOPPING,
           done.reason.empty() ? "not delivered before the host stopped" : done.reason);
      free_credit(1, event.json.len);
    }
    return;
  }
  switch (done.status) {
    case SLUICE_REJECTED:
      if (publish_log_ != nullptr) publish_log_->failed(event, done.reason, now_ns);
      ++claim.attempts;
      give_up(event, claim, Outcome::rejected, done.code, done.reason);
      left(event, !flight.held.empty());
      return;
    case SLUICE_AGAIN: {
      ++claim.attempts;
      stats_.attempts.add();
      if (done.code == SLUICE_CODE_PERHAPS_DELIVERED) stats_.timeouts.add();
      if (publish_log_ != nullptr) publish_log_->failed(event, done.reason, now_ns);
      if (claim.attempts >= delivery_.retry.max_attempts && !keeps_for_order()) {
        give_up(event, claim, Outcome::retry, done.code,
                "gave up after " + std::to_string(claim.attempts) + " attempts: " + done.reason);
        left(event, !flight.held.empty());
        return;
      }
      counters.retried.add();
      stats_.retries.add();
      if (done.code == SLUICE_CODE_PERHAPS_DELIVERED) stats_.duplicates_possible.add();
      const auto wait = std::max(retry_delay(delivery_.retry, claim.attempts, random_),
                                 std::chrono::milliseconds(done.retry_after_ms));
      hold_in_order(flight, index, claim, now_ns + as_ns(wait), done);
      return;
    }
    case SLUICE_TIMEOUT: {
      stats_.timeouts.add();
      stats_.duplicates_possible.add();
      counters.retried.add();
      hold_in_order(flight, index, claim, now_ns + as_ns(away_delay(std::max(away_failures_, 1u), random_)), done);
      return;
    }
    case SLUICE_CANCELLED:
      hold_in_order(flight, index, claim, now_ns + as_ns(away_delay(1, random_)), done);
      return;
    case SLUICE_AWAY:
      counters.retried.add();
      hold_in_order(flight, index, claim, away_until_ns_, done);
      return;
    default:
      hold(event, claim, now_ns, done.reason, done.code);
      break_node(done.reason.empty() ? "completed an event with status " + std::to_string(done.status) : done.reason);
      return;
  }
}

void BackendLane::drop_finished_flights() {
  while (!flights_.empty() && flights_.front().remaining == 0) flights_.pop_front();
}

}  // namespace sluice
