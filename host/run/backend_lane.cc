// The lane itself: what others say to it, its round, the condition of its node, its end.
#include "run/backend_lane.hh"

#include "core/assert.hh"
#include "core/dead_letter.hh"

#include <algorithm>

namespace sluice {

namespace {
constexpr std::uint64_t kMs = 1'000'000;
}  // namespace

BackendLane::BackendLane(std::string name, BackendNode& node, LaneWorld world, NodeStats& stats,
                         const NodeConfig& config, BlockPool& blocks, PublishLog* publish_log)
    : DeliveryLane(std::move(name), node, world, stats, config.delivery.queue),
      backend_(&node),
      delivery_(config.delivery),
      redaction_(config.redact),
      publish_log_(publish_log),
      random_(world.seed),
      breaker_(config.delivery.breaker),
      tokens_(config.delivery.rate_per_second),
      blocks_(blocks) {
  node.attach(this);
  if (delivery_.ordering.by_key) order_ = std::make_unique<KeyOrder>(delivery_.ordering, false);
}

// ---- what others say, from any thread ----

void BackendLane::push(Run&& run) {
  if (accept(run)) {
    Lane::wake();
  } else {
    turn_away(run);
  }
}

bool BackendLane::accept(Run& run) {
  const std::lock_guard lock(inbox_mutex_);
  if (closed_) return false;
  inbox_runs_.push_back(std::move(run));
  inbox_full_.store(true, std::memory_order_release);
  return true;
}

/// The drain is over and this lane has finished: what still comes is answered at the door.
void BackendLane::turn_away(const Run& run) {
  (run.overflow ? dead_lane_->credit : credit).give_back(run.count, run.bytes);
  if (run.sink == nullptr) return;
  std::vector<Completion> completions;
  for (const sluice_event& event : run.view()) {
    if (event.origin == kNoOrigin) continue;
    completions.push_back(
        {run.page, event.origin, 1, Outcome::retry, SLUICE_CODE_STOPPING, "not delivered before the host stopped"});
  }
  abandoned_.fetch_add(run.count, std::memory_order_relaxed);
  run.sink->settled(std::move(completions));
}

void BackendLane::settled(std::vector<Completion>&& completions) noexcept {
  {
    const std::lock_guard lock(inbox_mutex_);
    std::ranges::move(completions, std::back_inserter(inbox_dead_));
    inbox_full_.store(true, std::memory_order_release);
  }
  Lane::wake();
}

void BackendLane::complete(std::uint64_t ticket, std::uint32_t count, const sluice_result* result) noexcept {
  Done done{ticket, count, SLUICE_OK, 0, 0, {}};
  if (result != nullptr) {
    done.status = result->status;
    done.retry_after_ms = result->retry_after_ms;
    done.code = result->code;
    if (result->reason.len > 0 && result->reason.ptr != nullptr) {
      done.reason.assign(result->reason.ptr, std::min<std::uint64_t>(result->reason.len, limits::kReasonBytes));
    }
  }
  if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    local_.push_back(std::move(done));
    return;
  }
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_done_.push_back(std::move(done));
    inbox_full_.store(true, std::memory_order_release);
  }
  Lane::wake();
}

void BackendLane::complete_each(std::uint64_t ticket, std::uint32_t count, const std::uint8_t* status) noexcept {
  std::uint32_t from = 0;
  while (from < count) {
    std::uint32_t to = from + 1;
    while (to < count && status[to] == status[from]) ++to;
    sluice_result result{};
    result.size = sizeof result;
    result.status = status[from];
    complete(ticket + from, to - from, status[from] == SLUICE_OK ? nullptr : &result);
    from = to;
  }
}

void BackendLane::request_finish() noexcept {
  finish_.store(true, std::memory_order_release);
  Lane::wake();
}

// ---- one round ----

void BackendLane::step(std::chrono::milliseconds max_rest) {
  owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  waker_.clear();
  const std::uint64_t now_ns = now();
  say_left_out(given_up_lines_.left_out(now_ns));
  take_in(now_ns);
  bool progress = take_completions();
  if (finish_.load(std::memory_order_acquire)) {
    finish();
    return;
  }
  if (swap_ != nullptr || swap_door_.asked()) [[unlikely]]
    swap_round(now_ns);
  const bool paused = swap_ != nullptr;
  if (!broken_) {
    if (!started_ && !paused) try_start(now_ns);
    check_overdue(now_ns);
    if (delivery_.retry.max_age.count() > 0 && !keeps_for_order()) expire(now_ns);
    shed_while_open(now_ns);
    if (started_ && !paused) progress |= offer(now_ns);
    if (unflushed_ && (queue_.empty() || paused)) {
      unflushed_ = false;
      backend_->flush();
      progress |= take_completions();
    }
    tell_waiting();
  }
  send_dead_letters();
  flush_told();
  stats_.in_flight.set(in_flight_);
  stats_.held_by_key.set(order_ == nullptr ? 0 : order_->waiting());
  if (!broken_ && !unusable_) {
    const Status status = rest(now_ns, progress ? now_ns : next_event_ns(now_ns), max_rest, 0);
    full_ = false;
    if (status.code == SLUICE_FAILED) break_node(status.text.empty() ? "poll() failed" : status.text);
  } else {
    rest_alone(max_rest);
  }
}

void BackendLane::take_in(std::uint64_t now_ns) {
  if (!inbox_full_.load(std::memory_order_acquire)) return;
  std::vector<Completion> dead;
  {
    const std::lock_guard lock(inbox_mutex_);
    work_runs_.swap(inbox_runs_);
    if (!inbox_done_.empty()) {
      std::ranges::move(inbox_done_, std::back_inserter(local_));
      inbox_done_.clear();
    }
    dead.swap(inbox_dead_);
    inbox_full_.store(false, std::memory_order_release);
  }
  for (const Completion& completion : dead) dead_letter_settled(completion);
  for (Run& run : work_runs_) {
    for (const sluice_event& event : run.view()) stats_.by_type[type_id(event)].in.add();
    if (redaction_.apply(run, blocks_)) {
      const std::uint64_t left = bytes_of(run.view());  // credit was taken for the size that came
      CreditPool& lender = run.overflow ? dead_lane_->credit : credit;
      if (left < run.bytes) lender.give_back(0, run.bytes - left);
      if (left > run.bytes) lender.take_more(0, left - run.bytes);
      run.bytes = left;
    }
    if (broken_) {
      const Claim claim = claim_on(run);
      for (const sluice_event& event : run.view()) {
        tell(claim, event.origin, 1, Outcome::retry, 0, name_ + " is stopped because it failed");
        if (!run.overflow) free_credit(1, event.json.len);
        if (run.overflow) dead_lane_->credit.give_back(1, event.json.len);
      }
      continue;
    }
    if (run.overflow) {
      shed_overflow(run, now_ns);
      continue;
    }
    waiting_untold_ |= run.tell_waiting;
    queue_.emplace_back(std::move(run), 0);
  }
  work_runs_.clear();
}

/// What came without room here: its credit is the dead-letter lane's, so it goes there and nowhere else.
void BackendLane::shed_overflow(const Run& run, std::uint64_t now_ns) {
  const Claim claim{run.sink, run.page, run.queued_ns, now_ns, 0};
  for (const sluice_event& event : run.view()) {
    if (finishing_) {
      tell(claim, event.origin, 1, Outcome::retry, SLUICE_CODE_STOPPING, "not delivered before the host stopped");
      dead_lane_->credit.give_back(1, event.json.len);
      continue;
    }
    stats_.by_type[type_id(event)].failed.add();
    bury(event, claim, Outcome::retry, SLUICE_CODE_FULL, "the queue of " + name_ + " is full");
    DeadLetter& letter = dead_waiting_.back();
    letter.holds_credit = false;
    letter.room_taken = true;
    dead_lane_->credit.take_more(0, letter.event_bytes - event.json.len);  // its attributes make it longer
  }
}

// ---- the node's condition ----

void BackendLane::try_start(std::uint64_t now_ns) {
  if (now_ns < away_until_ns_) return;
  const Status status = node_->start(limits::kStartTimeout);
  if (status.ok()) {
    started_ = true;
    if (away_failures_ > 0) came_back();
    set_state(NodeState::running);
  } else if (status.code == SLUICE_AWAY) {
    go_away(now_ns, status.text, 0);
  } else {
    break_node(status.text.empty() ? "start() failed" : status.text);
  }
}

/// Everything that was under way when the far side went is one failure, for the back-off and for the breaker alike: an
/// outage is waited out by the lane, and must not keep the breaker open when it is over.
void BackendLane::go_away(std::uint64_t now_ns, std::string_view reason, std::uint32_t retry_after_ms) {
  if (!reason.empty()) stats_.set_error(reason, world_.clock.unix_ns());
  set_state(NodeState::away);
  away_until_ns_ = std::max(away_until_ns_, now_ns + std::uint64_t{retry_after_ms} * kMs);
  if (away_failures_ > 0 && now_ns < away_until_ns_) return;
  const std::uint32_t failures = ++away_failures_;
  away_until_ns_ = std::max(away_until_ns_, now_ns + as_ns(away_delay(failures, random_)));
  if (breaker_.half_open()) breaker_.probe_void();
  if (failures > 1) return;
  breaker_result(false, 1, now_ns);
  stats_.away_periods.add();
  say(Level::warn, publish_log_ != nullptr ? "Failed to publish to " + name_ + ": it is away" : "Backend is away",
      {{"reason", std::string(reason), false}});
}

void BackendLane::came_back() {
  say(Level::info, "Backend is back", {{"failed_tries", std::to_string(away_failures_), true}});
  away_failures_ = 0;
  away_until_ns_ = 0;
  set_state(NodeState::running);
}

void BackendLane::breaker_result(bool success, std::uint32_t count, std::uint64_t now_ns) {
  if (!breaker_.record(success, count, now_ns)) return;
  stats_.breaker.store(breaker_.state(), std::memory_order_relaxed);
  if (breaker_.state() == BreakerState::open) {
    stats_.breaker_opened.add();
    say(Level::warn, "Circuit breaker opened",
        {{"open_for_ms", std::to_string(delivery_.breaker.open_for.count()), true},
         {"last_error", stats_.error().first, false}});
  } else {
    say(Level::info, "Circuit breaker closed");
  }
}

/// A publish that overran its deadline may still be read by the plugin: its memory is put aside, never freed under it.
void BackendLane::check_overdue(std::uint64_t now_ns) {
  if (flights_.empty()) return;
  const Flight& oldest = flights_.front();
  if (now_ns < oldest.offered_ns + as_ns(delivery_.publish_deadline)) return;
  stats_.breaches.add_shared();
  break_node("did not complete " + std::to_string(oldest.remaining) + " events within " +
             std::to_string(delivery_.publish_deadline.count()) + " ms of publish()");
}

void BackendLane::break_node(std::string_view reason) {
  if (broken_) return;
  broken_ = true;
  set_state(NodeState::broken);
  stats_.set_error(reason, world_.clock.unix_ns());
  say(Level::error, "Backend broke its contract or failed, and is stopped", {{"reason", std::string(reason), false}});
  answer_everything(Outcome::retry, 0, name_ + " is stopped: " + std::string(reason));
}

/// Everything that is here is answered the same way. Memory that the plugin may still read is kept.
void BackendLane::answer_everything(Outcome outcome, std::int32_t code, std::string_view reason) {
  const auto answer = [&](const sluice_event& event, const Claim& claim) {
    abandoned_.fetch_add(1, std::memory_order_relaxed);
    stats_.by_type[type_id(event)].failed.add();
    tell(claim, event.origin, 1, outcome, code, reason);
    free_credit(1, event.json.len);
  };
  for (Flight& flight : flights_) {
    for (std::uint32_t i = 0; i < flight.count; ++i) {
      if (is_done(flight.done, i)) continue;
      answer(flight.events[i], flight.held.empty() ? flight.claim : flight.held[i].claim);
    }
    if (flight.remaining > 0) quarantine_.push_back(std::move(flight));
  }
  flights_.clear();
  in_flight_ = 0;
  for (auto& [run, next] : queue_) {
    const Claim claim = claim_on(run);
    for (std::uint32_t i = next; i < run.count; ++i) answer(run.events[i], claim);
  }
  queue_.clear();
  for (const Held& held : held_) answer(held.event.view(), held.claim);
  held_.clear();
  if (order_ != nullptr) {
    for (std::uint32_t slot = 0; slot < order_->slots(); ++slot) {
      if (order_->waits_in(slot)) answer(parked_[slot].event.view(), parked_[slot].claim);
    }
    order_.reset();  // nothing is offered any more
    parked_.clear();
  }
  for (const DeadLetter& letter : dead_waiting_) {
    abandoned_.fetch_add(1, std::memory_order_relaxed);
    tell(letter.claim, letter.origin, 1, outcome, code, letter.reason);
    if (letter.holds_credit) free_credit(1, letter.bytes);
    if (letter.room_taken) dead_lane_->credit.give_back(1, letter.event_bytes);
  }
  dead_waiting_.clear();
}

std::uint64_t BackendLane::next_event_ns(std::uint64_t now_ns) {
  if (swap_ != nullptr) return swap_due_ns(now_ns);
  std::uint64_t next = now_ns + 60'000 * kMs;
  const auto sooner = [&](std::uint64_t when) { next = std::min(next, std::max(when, now_ns)); };
  const bool can_offer = !queue_.empty() && !order_is_full();  // what waits for a key goes on with a completion
  const bool waiting = !queue_.empty() || !held_.empty() || (order_ != nullptr && order_->waiting() > 0);
  if (!started_) sooner(away_until_ns_);
  if ((can_offer || !held_.empty()) && started_ && !full_ && !at_flight_bound()) {
    std::uint64_t ready = can_offer ? now_ns : held_.front().due_ns;
    if (!held_.empty()) ready = std::min(ready, held_.front().due_ns);
    ready = std::max(ready, away_until_ns_);
    if (breaker_.state() == BreakerState::open) ready = std::max(ready, breaker_.open_until_ns());
    const bool probing = breaker_.state() == BreakerState::half_open && in_flight_ > 0;
    if (!probing) sooner(std::max(ready, tokens_.next_ns(now_ns)));
  }
  if (!flights_.empty()) sooner(flights_.front().offered_ns + as_ns(delivery_.publish_deadline));
  if (waiting && delivery_.retry.max_age.count() > 0 && !keeps_for_order()) {
    std::uint64_t oldest = kNever;
    if (!queue_.empty()) oldest = queue_.front().first.queued_ns;
    for (const Held& held : held_) oldest = std::min(oldest, held.claim.queued_ns);
    for (std::uint32_t slot = 0; order_ != nullptr && slot < order_->slots(); ++slot) {
      if (order_->waits_in(slot)) oldest = std::min(oldest, parked_[slot].claim.queued_ns);
    }
    sooner(oldest + as_ns(delivery_.retry.max_age));
  }
  return next;
}

void BackendLane::finish() {
  if (finished_.load(std::memory_order_relaxed)) return;
  finishing_ = true;
  const std::uint64_t now_ns = now();
  if (!unusable_) (void)node_->stop(limits::kStartTimeout);
  {
    const std::lock_guard lock(inbox_mutex_);
    closed_ = true;
  }
  take_in(now_ns);
  (void)take_completions();
  const std::uint64_t never_answered = in_flight_;
  const std::uint64_t left = credit.used().first - freed_events_;
  answer_everything(Outcome::retry, SLUICE_CODE_STOPPING, "not delivered before the host stopped");
  if (left > 0 && !broken_ && !spooled_) {
    say(Level::error, "Events are left undelivered",
        {{"count", std::to_string(left), true},
         {"never_completed_by_the_plugin", std::to_string(never_answered), true},
         {"last_error", stats_.error().first, false}});
  }
  for (auto& [token, letter] : dead_sent_) {
    tell(letter.claim, letter.origin, 1, Outcome::retry, SLUICE_CODE_STOPPING, letter.reason);
    if (letter.holds_credit) free_credit(1, letter.bytes);
  }
  dead_sent_.clear();
  flush_told();
  if (publish_log_ != nullptr) publish_log_->report_left_out();
  say_left_out(given_up_lines_.left_out_so_far());
  if (!broken_) set_state(NodeState::stopped);
  finished_.store(true, std::memory_order_release);
}

}  // namespace sluice
