// Events that are given up: dead letters, and telling whoever waits for an answer.
#include "run/backend_lane.hh"

#include "core/assert.hh"
#include "core/dead_letter.hh"

#include <algorithm>

namespace sluice {

void BackendLane::give_up(const sluice_event& event, const Claim& claim, Outcome outcome, std::int32_t code,
                          const std::string& reason) {
  TypeCounters& counters = stats_.by_type[type_id(event)];
  (outcome == Outcome::rejected ? counters.rejected : counters.failed).add();
  stats_.set_error(reason, world_.clock.unix_ns());
  if (dead_lane_ == nullptr || broken_ || finishing_) {
    say_given_up(event, claim, outcome, code, reason);
    tell(claim, event.origin, 1, outcome, code, name_ + ": " + reason);
    free_credit(1, event.json.len);
    return;
  }
  bury(event, claim, outcome, code, reason);
}

/// Without a dead letter the log is the only place that says which event it was and why.
void BackendLane::say_given_up(const sluice_event& event, const Claim& claim, Outcome outcome, std::int32_t code,
                               const std::string& reason) {
  say_left_out(given_up_lines_.left_out(now()));
  if (!world_.log.enabled(Level::warn) || !given_up_lines_.admit()) return;
  const auto text_of = [&](sluice_slice slice) { return std::string(event.text + slice.at, slice.len); };
  say(Level::warn,
      outcome == Outcome::rejected ? "Event was rejected, and there is no dead letter"
                                   : "Event was not delivered, and there is no dead letter",
      {{"event_id", text_of(event.id), false},
       {"event_type", text_of(event.type), false},
       {"reason", reason, false},
       {"code", std::to_string(code), true},
       {"attempts", std::to_string(claim.attempts), true}});
}

void BackendLane::say_left_out(std::uint64_t count) {
  if (count == 0) return;
  say(Level::warn, "Events without a dead letter (more in the same second, not listed)",
      {{"count", std::to_string(count), true}});
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
         letter.reason + "; dead-lettered to " + dead_lane_->name(), true);
  } else {
    // A spool offers again what is to be retried, which its key's later events have overtaken by now: with `ordering`
    // it keeps the event for people instead.
    const bool comes_late = spooled_ && order_ != nullptr && !finishing_ && !broken_;
    tell(letter.claim, letter.origin, 1, comes_late ? Outcome::rejected : Outcome::retry, letter.code,
         letter.reason + "; the dead letter failed as well: " + completion.reason);
  }
  if (letter.holds_credit) free_credit(1, letter.bytes);
}

void BackendLane::tell(const Claim& claim, std::uint32_t origin, std::uint32_t count, Outcome outcome,
                       std::int32_t code, std::string_view reason, bool moved) {
  if (claim.sink == nullptr || origin == kNoOrigin) return;
  told_to(claim.sink)
      .push_back({claim.page, origin, count, outcome, code, std::string(reason), moved, false,
                  claim.waits ? Waiting::ends : Waiting::no});
}

std::vector<Completion>& BackendLane::told_to(SettleSink* sink) {
  auto found = std::ranges::find(told_, sink, &std::pair<SettleSink*, std::vector<Completion>>::first);
  if (found == told_.end()) found = told_.insert(told_.end(), {sink, {}});
  return found->second;
}

/// While the far side is away, or the breaker keeps everything back, a sink that asked for it hears which of its events
/// wait for that; of each once.
void BackendLane::tell_waiting() {
  if (!waiting_untold_ || (away_failures_ == 0 && breaker_.state() != BreakerState::open)) return;
  waiting_untold_ = false;
  const auto begins = [&](const sluice_event& event, const Claim& claim) {
    if (claim.sink == nullptr || event.origin == kNoOrigin) return;
    told_to(claim.sink).push_back({claim.page, event.origin, 1, Outcome::retry, 0, {}, false, false, Waiting::begins});
  };
  const auto held = [&](Held& one) {
    if (!one.claim.tell_waiting || one.claim.waits) return;
    begins(one.event.view(), one.claim);
    one.claim.waits = true;
  };
  for (auto& [run, next] : queue_) {
    if (!run.tell_waiting || run.waits) continue;
    for (std::uint32_t i = next; i < run.count; ++i) begins(run.events[i], claim_on(run));
    run.waits = true;
  }
  for (Held& one : held_) held(one);
  for (std::uint32_t slot = 0; order_ != nullptr && slot < order_->slots(); ++slot) {
    if (order_->waits_in(slot)) held(parked_[slot]);
  }
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

}  // namespace sluice
