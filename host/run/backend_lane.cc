#include "run/backend_lane.hh"

#include "core/assert.hh"
#include "core/dead_letter.hh"

#include <algorithm>
#include <bit>

namespace sluice {

namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint32_t kFlightEvents = 256;  // bits in Flight::done

std::uint64_t as_ns(std::chrono::milliseconds ms) { return static_cast<std::uint64_t>(ms.count()) * kMs; }

bool is_done(const std::array<std::uint64_t, 4>& bits, std::uint32_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
void set_done(std::array<std::uint64_t, 4>& bits, std::uint32_t i) { bits[i / 64] |= std::uint64_t{1} << (i % 64); }

}  // namespace

BackendLane::BackendLane(std::string name, BackendNode& node, LaneWorld world, NodeStats& stats,
                         const NodeConfig& config, BlockPool& blocks, PublishLog* publish_log)
    : DeliveryLane(std::move(name), node, world, stats, config.delivery.queue),
      backend_(node),
      delivery_(config.delivery),
      redaction_(config.redact),
      publish_log_(publish_log),
      random_(world.seed),
      breaker_(config.delivery.breaker),
      tokens_(config.delivery.rate_per_second),
      blocks_(blocks) {
  node.attach(this);
}

// ---- what others say, from any thread ----

void BackendLane::push(Run&& run) {
  bool closed = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    closed = closed_;
    if (!closed) {
      inbox_runs_.push_back(std::move(run));
      inbox_full_.store(true, std::memory_order_release);
    }
  }
  if (closed) {
    turn_away(run);
  } else {
    Lane::wake();
  }
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
  take_in(now_ns);
  bool progress = take_completions();
  if (finish_.load(std::memory_order_acquire)) {
    finish();
    return;
  }
  if (!broken_) {
    if (!started_) try_start(now_ns);
    check_overdue(now_ns);
    if (delivery_.retry.max_age.count() > 0) expire(now_ns);
    shed_while_open(now_ns);
    if (started_) progress |= offer(now_ns);
    if (unflushed_ && queue_.empty()) {
      unflushed_ = false;
      backend_.flush();
      progress |= take_completions();
    }
  }
  send_dead_letters();
  flush_told();
  stats_.in_flight.set(in_flight_);
  if (!broken_) {
    const Status status = rest(now_ns, progress ? now_ns : next_event_ns(now_ns), max_rest, 0);
    full_ = false;
    if (status.code == SLUICE_FAILED) break_node(status.text.empty() ? "poll() failed" : status.text);
  } else {
    const std::uint64_t until = now_ns + 1000 * kMs;
    if (max_rest.count() > 0 && waker_.prepare_sleep()) {
      pollfd wake_only{waker_.fd(), POLLIN, 0};
      (void)::poll(&wake_only, 1, static_cast<int>(std::min<std::int64_t>(max_rest.count(), 1000)));
    }
    waker_.slept();
    (void)until;
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
      const Claim claim{run.sink, run.page, run.queued_ns, 0, 0};
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

// ---- completions ----

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
  if ((done.status == SLUICE_AWAY || done.status == SLUICE_TIMEOUT) && !finishing_) {
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
  breaker_result(true, to - from, now_ns);
  if (away_failures_ > 0) came_back();
}

void BackendLane::failed(Flight& flight, std::uint32_t index, const Done& done, std::uint64_t now_ns) {
  const sluice_event& event = flight.events[index];
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
      return;
    case SLUICE_AGAIN: {
      ++claim.attempts;
      stats_.attempts.add();
      if (publish_log_ != nullptr) publish_log_->failed(event, done.reason, now_ns);
      if (claim.attempts >= delivery_.retry.max_attempts) {
        give_up(event, claim, Outcome::retry, done.code,
                "gave up after " + std::to_string(claim.attempts) + " attempts: " + done.reason);
        return;
      }
      counters.retried.add();
      stats_.retries.add();
      const auto wait = std::max(retry_delay(delivery_.retry, claim.attempts, random_),
                                 std::chrono::milliseconds(done.retry_after_ms));
      hold(event, claim, now_ns + as_ns(wait), done.reason, done.code);
      return;
    }
    case SLUICE_TIMEOUT: {
      stats_.timeouts.add();
      stats_.duplicates_possible.add();
      counters.retried.add();
      hold(event, claim, now_ns + as_ns(away_delay(std::max(away_failures_, 1u), random_)), done.reason, done.code);
      return;
    }
    case SLUICE_CANCELLED:
      hold(event, claim, now_ns + as_ns(away_delay(1, random_)), done.reason, done.code);
      return;
    case SLUICE_AWAY:
      counters.retried.add();
      hold(event, claim, away_until_ns_, done.reason, done.code);
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

// ---- offering ----

bool BackendLane::may_offer(std::uint64_t now_ns) {
  if (broken_ || full_ || now_ns < away_until_ns_) return false;
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
    } else if (!queue_.empty()) {
      took = offer_queued(now_ns, size);
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
  const sluice_status status = backend_.publish(batch, taken, error);
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
  flight.claim = {run.sink, run.page, run.queued_ns, 0, 0};
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
    const Claim claim{run.sink, run.page, run.queued_ns, 0, 0};
    const std::string reason = "not delivered within " + std::to_string(delivery_.retry.max_age.count()) + " ms" +
                               (stats_.error().first.empty() ? "" : ": " + stats_.error().first);
    for (std::uint32_t i = next; i < run.count; ++i) {
      stats_.expired.add();
      if (publish_log_ != nullptr) publish_log_->failed(run.events[i], reason, now_ns);
      give_up(run.events[i], claim, Outcome::retry, 0, reason);
    }
  }
  if (std::ranges::none_of(held_, [&](const Held& held) { return too_old(held.claim.queued_ns); })) return;
  std::vector<Held> keep;
  for (Held& held : held_) {
    if (!too_old(held.claim.queued_ns)) {
      keep.push_back(std::move(held));
      continue;
    }
    stats_.expired.add();
    const std::string reason =
        "not delivered within " + std::to_string(delivery_.retry.max_age.count()) + " ms: " + held.reason;
    if (publish_log_ != nullptr) publish_log_->failed(held.event.view(), reason, now_ns);
    give_up(held.event.view(), held.claim, Outcome::retry, held.code, reason);
  }
  held_ = std::move(keep);
  std::ranges::make_heap(held_, std::ranges::greater{}, [](const Held& h) { return std::pair(h.due_ns, h.order); });
}

/// `on_open: dead_letter`: an open breaker sheds instead of holding.
void BackendLane::shed_while_open(std::uint64_t now_ns) {
  if (delivery_.breaker.on_open != BreakerPolicy::OnOpen::dead_letter) return;
  if (breaker_.state() != BreakerState::open || now_ns >= breaker_.open_until_ns()) return;
  while (!queue_.empty()) {
    auto [run, next] = std::move(queue_.front());
    queue_.pop_front();
    const Claim claim{run.sink, run.page, run.queued_ns, 0, 0};
    for (std::uint32_t i = next; i < run.count; ++i) {
      give_up(run.events[i], claim, Outcome::retry, 0, "the circuit breaker is open");
    }
  }
  for (Held& held : held_) {
    give_up(held.event.view(), held.claim, Outcome::retry, held.code, "the circuit breaker is open: " + held.reason);
  }
  held_.clear();
}

// ---- giving up, dead letters, telling ----

void BackendLane::give_up(const sluice_event& event, const Claim& claim, Outcome outcome, std::int32_t code,
                          std::string reason) {
  TypeCounters& counters = stats_.by_type[type_id(event)];
  (outcome == Outcome::rejected ? counters.rejected : counters.failed).add();
  stats_.set_error(reason, world_.clock.unix_ns());
  if (dead_lane_ == nullptr || broken_ || finishing_) {
    tell(claim, event.origin, 1, outcome, code, name_ + ": " + reason);
    free_credit(1, event.json.len);
    return;
  }
  bury(event, claim, outcome, code, reason);
}

/// Makes the dead letter; send_dead_letters() hands it over when its lane has room.
void BackendLane::bury(const sluice_event& event, const Claim& claim, Outcome outcome, std::int32_t code,
                       const std::string& reason) {
  const std::int64_t unix_ns = world_.clock.unix_ns();
  const std::uint64_t mono_ns = now();
  const std::uint64_t since = claim.first_ns == 0 ? 0 : mono_ns - claim.first_ns;
  DeadLetter letter;
  letter.claim = claim;
  letter.origin = event.origin;
  letter.bytes = event.json.len;
  letter.outcome = outcome;
  letter.code = code;
  letter.reason = name_ + ": " + reason;
  letter.block = blocks_.take();
  letter.event = as_dead_letter(event,
                                {.node = name_,
                                 .reason = reason,
                                 .code = code,
                                 .attempts = claim.attempts,
                                 .first_unix_ns = unix_ns - static_cast<std::int64_t>(since),
                                 .last_unix_ns = unix_ns},
                                writer_, *letter.block);
  letter.event.origin = 0;
  letter.event_bytes = letter.event.json.len;
  dead_waiting_.push_back(std::move(letter));
}

/// Dead letters wait for room in their lane with this lane's own credit still held, so they are bounded by it.
void BackendLane::send_dead_letters() {
  while (!dead_waiting_.empty()) {
    DeadLetter& letter = dead_waiting_.front();
    if (!letter.room_taken && !dead_lane_->credit.try_take(1, letter.event_bytes, this)) return;
    auto* event = letter.block->allocate_array<sluice_event>(1);
    *event = letter.event;
    const std::uint64_t token = next_dead_++;
    Run run{letter.block, event, 1, letter.event_bytes, this, token, now(), false};
    letter.block = {};
    dead_sent_.emplace(token, std::move(letter));
    dead_waiting_.pop_front();
    dead_lane_->push(std::move(run));
  }
}

void BackendLane::dead_letter_settled(const Completion& completion) {
  const auto found = dead_sent_.find(completion.page);
  SLUICE_ASSERT(found != dead_sent_.end());
  DeadLetter letter = std::move(found->second);
  dead_sent_.erase(found);
  if (completion.outcome == Outcome::delivered) {
    stats_.dead_lettered.add();
    tell(letter.claim, letter.origin, 1, Outcome::rejected, letter.code,
         letter.reason + "; dead-lettered to " + dead_lane_->name());
  } else {
    tell(letter.claim, letter.origin, 1, Outcome::retry, letter.code,
         letter.reason + "; the dead letter failed as well: " + completion.reason);
  }
  if (letter.holds_credit) free_credit(1, letter.bytes);
}

void BackendLane::tell(const Claim& claim, std::uint32_t origin, std::uint32_t count, Outcome outcome,
                       std::int32_t code, std::string_view reason) {
  if (claim.sink == nullptr || origin == kNoOrigin) return;
  auto found = std::ranges::find(told_, claim.sink, &std::pair<SettleSink*, std::vector<Completion>>::first);
  if (found == told_.end()) found = told_.insert(told_.end(), {claim.sink, {}});
  found->second.push_back({claim.page, origin, count, outcome, code, std::string(reason)});
}

void BackendLane::free_credit(std::uint64_t events, std::uint64_t bytes) noexcept {
  freed_events_ += events;
  freed_bytes_ += bytes;
}

void BackendLane::flush_told() {
  for (auto& [sink, completions] : told_) {
    if (completions.empty()) continue;
    sink->settled(std::move(completions));
    completions.clear();
  }
  if (freed_events_ + freed_bytes_ > 0) {
    credit.give_back(freed_events_, freed_bytes_);
    freed_events_ = freed_bytes_ = 0;
  }
  const auto [events, bytes] = credit.used();
  stats_.queue_events.set(events);
  stats_.queue_bytes.set(bytes);
}

// ---- the node's condition ----

void BackendLane::try_start(std::uint64_t now_ns) {
  if (now_ns < away_until_ns_) return;
  const Status status = node_.start(limits::kStartTimeout);
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
    const Claim claim{run.sink, run.page, run.queued_ns, 0, 0};
    for (std::uint32_t i = next; i < run.count; ++i) answer(run.events[i], claim);
  }
  queue_.clear();
  for (const Held& held : held_) answer(held.event.view(), held.claim);
  held_.clear();
  for (const DeadLetter& letter : dead_waiting_) {
    abandoned_.fetch_add(1, std::memory_order_relaxed);
    tell(letter.claim, letter.origin, 1, outcome, code, letter.reason);
    if (letter.holds_credit) free_credit(1, letter.bytes);
    if (letter.room_taken) dead_lane_->credit.give_back(1, letter.event_bytes);
  }
  dead_waiting_.clear();
}

std::uint64_t BackendLane::next_event_ns(std::uint64_t now_ns) {
  std::uint64_t next = now_ns + 60'000 * kMs;
  const auto sooner = [&](std::uint64_t when) { next = std::min(next, std::max(when, now_ns)); };
  const bool waiting = !queue_.empty() || !held_.empty();
  if (!started_) sooner(away_until_ns_);
  if (waiting && started_ && !full_) {
    std::uint64_t ready = queue_.empty() ? held_.front().due_ns : now_ns;
    if (!held_.empty()) ready = std::min(ready, held_.front().due_ns);
    ready = std::max(ready, away_until_ns_);
    if (breaker_.state() == BreakerState::open) ready = std::max(ready, breaker_.open_until_ns());
    const bool probing = breaker_.state() == BreakerState::half_open && in_flight_ > 0;
    if (!probing) sooner(std::max(ready, tokens_.next_ns(now_ns)));
  }
  if (!flights_.empty()) sooner(flights_.front().offered_ns + as_ns(delivery_.publish_deadline));
  if (waiting && delivery_.retry.max_age.count() > 0) {
    std::uint64_t oldest = kNever;
    if (!queue_.empty()) oldest = queue_.front().first.queued_ns;
    for (const Held& held : held_) oldest = std::min(oldest, held.claim.queued_ns);
    sooner(oldest + as_ns(delivery_.retry.max_age));
  }
  return next;
}

void BackendLane::finish() {
  if (finished_.load(std::memory_order_relaxed)) return;
  finishing_ = true;
  const std::uint64_t now_ns = now();
  (void)node_.stop(limits::kStartTimeout);
  {
    const std::lock_guard lock(inbox_mutex_);
    closed_ = true;
  }
  take_in(now_ns);
  (void)take_completions();
  const std::uint64_t never_answered = in_flight_;
  const std::uint64_t left = credit.used().first - freed_events_;
  answer_everything(Outcome::retry, SLUICE_CODE_STOPPING, "not delivered before the host stopped");
  if (left > 0 && !broken_) {
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
  if (!broken_) set_state(NodeState::stopped);
  finished_.store(true, std::memory_order_release);
}

}  // namespace sluice
