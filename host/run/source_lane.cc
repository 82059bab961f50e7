#include "run/source_lane.hh"

#include "core/assert.hh"
#include "core/backoff.hh"
#include "core/dead_letter.hh"
#include "core/event_json.hh"

#include <algorithm>
#include <cstring>

namespace sluice {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::chrono::milliseconds kQuietRest{100};  // an ended lane still answers its node's own timers

/// The writer of a pull: its bytes are a chunk of the block, and more chunks are to be had up to a bound.
struct PullWriter {
  sluice_writer writer{};
  Block* block = nullptr;
  char* chunk = nullptr;
  std::uint64_t grown = 0;
  std::uint64_t grow_max = 0;

  PullWriter(std::vector<sluice_record>& records, std::uint32_t cap, Block& into, const EventLimits& limits)
      : block(&into), grow_max(4 * limits.event_bytes + limits::kPullBytes) {
    std::memset(records.data(), 0, cap * sizeof(sluice_record));
    chunk = into.allocate(limits::kPullBytes);
    writer.size = sizeof(sluice_writer);
    writer.stride = sizeof(sluice_record);
    writer.cap = cap;
    writer.records = records.data();
    writer.bytes = reinterpret_cast<std::uint8_t*>(chunk);
    writer.bytes_cap = limits::kPullBytes;
    writer.grow = &grow;
  }
  static std::int32_t grow(sluice_writer* writer, std::uint32_t records, std::uint64_t bytes) {
    auto* self = reinterpret_cast<PullWriter*>(writer);
    if (writer->count + records > writer->cap) return 0;
    if (bytes == 0) return 1;
    if (self->grown + bytes > self->grow_max) return 0;
    self->grown += bytes;
    self->chunk = self->block->allocate(bytes);
    writer->bytes = reinterpret_cast<std::uint8_t*>(self->chunk);
    writer->bytes_cap = bytes;
    writer->bytes_len = 0;
    return 1;
  }
};

std::string_view text_of(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }

/// Calls body(first, count) for each stretch of events whose origins follow one another; events that nobody is told
/// about are left out.
template <class Body>
void by_origin(std::span<const sluice_event> events, Body&& body) {
  std::size_t i = 0;
  while (i < events.size()) {
    if (events[i].origin == kNoOrigin) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < events.size() && events[end].origin == events[end - 1].origin + 1) ++end;
    body(events[i].origin, static_cast<std::uint32_t>(end - i));
    i = end;
  }
}

std::vector<std::string> redacted_by_any(const Graph& graph, const Config& config, const SourceReach& reach) {
  std::vector<std::string> pointers;
  for (const NodeIndex lane : reach.lanes) {
    const auto& of_one = config.nodes[graph.nodes[lane].config].redact;
    pointers.insert(pointers.end(), of_one.begin(), of_one.end());
  }
  return pointers;
}

}  // namespace

SourceLane::SourceLane(std::string name, SourceNode& node, LaneWorld world, NodeStats& stats, SourceWiring wiring)
    : Lane(std::move(name), node, world, stats),
      source_(node),
      wiring_(std::move(wiring)),
      reach_(*wiring_.graph->reach_of(wiring_.self)),
      config_(wiring_.config->nodes[wiring_.graph->nodes[wiring_.self].config]),
      decoder_(config_.format, wiring_.config->limits),
      ledger_(config_.acknowledge.mode == Acknowledge::Mode::any ? Ledger::Fold::min : Ledger::Fold::max,
              node.in_order(),
              wiring_.config->events_dialect ||
                  std::ranges::any_of(reach_.consumers,
                                      [&](NodeIndex c) { return wiring_.consumer_of[c]->node().wants_settled(); })),
      types_(*wiring_.types),
      records_(wiring_.config->batch_events),
      required_(wiring_.graph->nodes.size()),
      gating_(wiring_.graph->nodes.size()),
      undelivered_redactor_(redacted_by_any(*wiring_.graph, *wiring_.config, reach_)) {
  node.attach(this);
  for (const NodeIndex lane : reach_.required) required_[lane] = 1;
  for (const NodeIndex lane : reach_.gating) {
    gating_[lane] = 1;
    taken_.push_back({wiring_.lane_of[lane]});
  }
  for (const NodeIndex consumer : reach_.consumers) {
    if (wiring_.consumer_of[consumer]->emits()) derived_reserve_ += limits::kDerivedPerCall;
    if (!wiring_.graph->shared(consumer) || wiring_.graph->sources.front().source == wiring_.self) {
      wiring_.consumer_of[consumer]->set_waker(this);
    }
  }
}

// ---- what others ask of the lane ----

void SourceLane::request_stop() noexcept {
  stop_.store(true, std::memory_order_release);
  wake();
}

void SourceLane::request_halt(std::string text) {
  {
    const std::lock_guard lock(halt_mutex_);
    if (halt_text_.empty()) halt_text_ = std::move(text);
  }
  halt_.store(true, std::memory_order_release);
  wake();
}

void SourceLane::request_finish() noexcept {
  finish_.store(true, std::memory_order_release);
  wake();
}

void SourceLane::settled(std::vector<Completion>&& completions) noexcept {
  {
    const std::lock_guard lock(inbox_mutex_);
    if (inbox_.empty()) {
      inbox_.swap(completions);
    } else {
      inbox_.insert(inbox_.end(), std::make_move_iterator(completions.begin()),
                    std::make_move_iterator(completions.end()));
    }
    inbox_full_.store(true, std::memory_order_release);
  }
  wake();
}

// ---- one round ----

void SourceLane::step(std::chrono::milliseconds max_rest) {
  waker_.clear();
  const std::uint64_t now_ns = now();
  bool progress = take_settlements(now_ns);
  const bool stopping = stop_.load(std::memory_order_acquire) || halt_.load(std::memory_order_acquire);

  if (finish_.load(std::memory_order_acquire)) {
    finish();
    return;
  }
  room_ = false;
  if (pending_.block) {
    progress |= route_pending();
  } else if (ended_.load(std::memory_order_relaxed)) {
    set_state(NodeState::ended);
  } else if (stopping) {
    if (!stopped_node_) {
      stopped_node_ = true;
      set_state(NodeState::draining);
      if (!halt_.load(std::memory_order_relaxed) || source_.in_order()) {
        (void)node_.stop(limits::kStartTimeout);
      }
    }
    if (halt_.load(std::memory_order_relaxed) && !source_.in_order()) progress |= refuse_pull();
  } else if (now_ns >= away_until_ns_) {
    if (!started_) try_start(now_ns);
    if (started_) progress |= pull(now_ns);
  }
  if (progress || now_ns >= next_tick_ns_) tick_consumers(now_ns);

  const bool nothing_more = ended_.load(std::memory_order_relaxed) || stopping;
  const bool all_settled = !pending_.block && ledger_.empty() && !inbox_full_.load(std::memory_order_acquire);
  if (nothing_more && all_settled && !quiet_.load(std::memory_order_relaxed)) {
    quiet_.store(true, std::memory_order_release);
    if (monitor_ != nullptr) monitor_->wake();
  }
  open_records_.store(ledger_.open_records(), std::memory_order_relaxed);
  stats_.in_flight.set(ledger_.open_records());

  std::uint64_t until = now_ns + 60 * kSecond;
  if (away_until_ns_ > now_ns) until = std::min(until, away_until_ns_);
  if (next_tick_ns_ > 0) until = std::min(until, next_tick_ns_);
  const std::uint32_t room = room_ && !nothing_more ? static_cast<std::uint32_t>(records_.size()) : 0;
  (void)rest(now_ns, progress ? now_ns : until, nothing_more && all_settled ? std::min(max_rest, kQuietRest) : max_rest,
             room);
}

void SourceLane::finish() {
  if (finished_.load(std::memory_order_relaxed)) return;
  if (pending_.block) refuse({pending_.block->pulled.data() + pending_.next, pending_.end - pending_.next});
  if (pending_.block) {
    ledger_.close(pending_.page);
    pending_ = {};
  }
  (void)take_settlements(now());
  if (!stopped_node_ && !ended_.load(std::memory_order_relaxed)) {
    stopped_node_ = true;
    (void)node_.stop(limits::kStartTimeout);
  }
  set_state(NodeState::stopped);
  open_records_.store(ledger_.open_records(), std::memory_order_relaxed);
  quiet_.store(true, std::memory_order_release);
  finished_.store(true, std::memory_order_release);
}

// ---- settling ----

bool SourceLane::take_settlements(std::uint64_t now_ns) {
  bool progress = false;
  if (inbox_full_.load(std::memory_order_acquire)) {
    {
      const std::lock_guard lock(inbox_mutex_);
      inbox_work_.clear();
      inbox_work_.swap(inbox_);
      inbox_full_.store(false, std::memory_order_release);
    }
    for (const Completion& completion : inbox_work_) {
      const bool owed = ledger_.complete(completion);
      SLUICE_ASSERT(owed);  // lanes refuse doubles and strangers before they get here
    }
    progress = !inbox_work_.empty();
  }
  settle_ready();
  (void)now_ns;
  return progress;
}

void SourceLane::settle_ready() {
  watch_ended();
  ledger_.take_settlements(settlements_);
  if (settlements_.empty()) return;
  settlements_out_.clear();
  for (const Settlement& settlement : settlements_) {
    switch (settlement.outcome) {
      case Outcome::delivered:
        stats_.settled_delivered.add();
        break;
      case Outcome::dropped:
        stats_.settled_dropped.add();
        break;
      case Outcome::rejected:
        stats_.settled_rejected.add();
        break;
      case Outcome::retry:
        stats_.settled_retry.add();
        break;
    }
    if (settlement.outcome == Outcome::retry && source_.cannot_hold() && settlement.code != SLUICE_CODE_HALTED) {
      write_undelivered(settlement.tag, settlement.reason);
    }
    settlements_out_.push_back({settlement.tag,
                                static_cast<std::uint32_t>(settlement.outcome),
                                settlement.code,
                                {settlement.reason.data(), settlement.reason.size()}});
  }
  source_.settle(settlements_out_);
  std::erase_if(kept_, [&](const Kept& kept) { return !ledger_.is_open(kept.page); });
}

void SourceLane::watch_ended() {
  ledger_.take_ended(ended_events_);
  if (ended_events_.empty()) return;
  for (const NodeIndex index : reach_.consumers) {
    InlineConsumer& consumer = *wiring_.consumer_of[index];
    if (!consumer.node().wants_settled()) continue;
    std::vector<std::uint64_t> seq;
    std::vector<std::uint8_t> outcome;
    for (const EventEnd& event : ended_events_) {
      seq.push_back(event.seq);
      outcome.push_back(static_cast<std::uint8_t>(event.outcome));
    }
    consumer.settled(seq, outcome);
  }
  if (wiring_.config->events_dialect && wiring_.config->log.events && reach_.required.size() > 1) {
    for (const EventEnd& event : ended_events_) {
      if (event.owed_total > 1) say_published(event);
    }
  }
}

/// The documents' line for each event, bounded per second like "Event published".
void SourceLane::say_published(const EventEnd& event) {
  const std::uint64_t second = now() / kSecond;
  if (second != published_second_) {
    if (published_unsaid_ > 0) {
      say(Level::info, "Multi-backend publish complete (more in the same second, not listed)",
          {{"count", std::to_string(published_unsaid_), true}});
    }
    published_second_ = second;
    published_said_ = published_unsaid_ = 0;
  }
  if (published_said_ >= wiring_.config->log.events_per_second) {
    ++published_unsaid_;
    return;
  }
  ++published_said_;
  say(Level::info, "Multi-backend publish complete: " + std::to_string(event.delivered) + "/" +
                       std::to_string(event.owed_total) + " succeeded");
}

void SourceLane::keep_for_undelivered(const Pending& pending) {
  Kept kept{pending.page, pending.block, {}, event_record_};
  kept_.push_back(std::move(kept));
}

void SourceLane::write_undelivered(std::uint64_t tag, std::string_view reason) {
  if (wiring_.undelivered == nullptr) return;
  for (const Kept& kept : kept_) {
    for (std::uint32_t record = 0; record < kept.tags.size(); ++record) {
      if (kept.tags[record] != tag) continue;
      for (std::size_t i = 0; i < kept.event_record.size() && i < kept.block->pulled.size(); ++i) {
        if (kept.event_record[i] != record) continue;
        const sluice_event& event = kept.block->pulled[i];
        sluice_event cleared;
        const bool changed = undelivered_redactor_.apply(event, *kept.block, cleared);
        const sluice_event& written = changed ? cleared : event;
        wiring_.undelivered->write(text_of(written, written.json), reason);
      }
      return;
    }
  }
}

// ---- pulling ----

bool SourceLane::take_credit() {
  return take_credit_for(records_.size() + derived_reserve_,
                         limits::kPullBytes + (derived_reserve_ > 0 ? limits::kDerivedBytes : 0));
}

bool SourceLane::take_credit_for(std::uint64_t events, std::uint64_t bytes) {
  SLUICE_ASSERT(!credit_taken_);
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    Taken& taken = taken_[i];
    taken.events = std::min(events, taken.lane->credit.max_events());
    taken.bytes = std::min(bytes, taken.lane->credit.max_bytes());
    taken.used_events = taken.used_bytes = 0;
    if (taken.lane->credit.try_take(taken.events, taken.bytes, this)) continue;
    while (i-- > 0) taken_[i].lane->credit.give_back(taken_[i].events, taken_[i].bytes);
    return false;
  }
  credit_taken_ = true;
  return true;
}

/// What routing did not use goes back; what one oversized record used beyond its promise is taken now.
void SourceLane::give_back_credit() {
  if (!credit_taken_) return;
  credit_taken_ = false;
  for (Taken& taken : taken_) {
    const std::uint64_t more_events = taken.used_events > taken.events ? taken.used_events - taken.events : 0;
    const std::uint64_t more_bytes = taken.used_bytes > taken.bytes ? taken.used_bytes - taken.bytes : 0;
    if (more_events + more_bytes > 0) taken.lane->credit.take_more(more_events, more_bytes);
    const std::uint64_t less_events = taken.events > taken.used_events ? taken.events - taken.used_events : 0;
    const std::uint64_t less_bytes = taken.bytes > taken.used_bytes ? taken.bytes - taken.used_bytes : 0;
    if (less_events + less_bytes > 0) taken.lane->credit.give_back(less_events, less_bytes);
  }
}

void SourceLane::went_away(std::uint64_t now_ns, std::string_view reason) {
  Random random(world_.seed ^ now_ns);
  if (++away_failures_ == 1) {
    stats_.away_periods.add();
    say(Level::warn, "Source is away", {{"reason", std::string(reason), false}});
  }
  stats_.set_error(reason, world_.clock.unix_ns());
  set_state(NodeState::away);
  away_until_ns_ = now_ns + static_cast<std::uint64_t>(away_delay(away_failures_, random).count()) * 1'000'000;
}

void SourceLane::try_start(std::uint64_t now_ns) {
  const Status status = node_.start(limits::kStartTimeout);
  if (status.ok()) {
    started_ = true;
    away_failures_ = 0;
    set_state(NodeState::running);
    say(Level::info, "Source is back");
  } else if (status.code == SLUICE_AWAY) {
    went_away(now_ns, status.text);
  } else {
    set_state(NodeState::broken);
    stats_.set_error(status.text, world_.clock.unix_ns());
    say(Level::error, "Source cannot start and is stopped", {{"reason", status.text, false}});
    ended_.store(true, std::memory_order_release);
  }
}

bool SourceLane::pull(std::uint64_t now_ns) {
  if (!take_credit()) return false;
  room_ = true;
  std::uint32_t cap = static_cast<std::uint32_t>(records_.size());
  for (const Taken& taken : taken_) cap = static_cast<std::uint32_t>(std::min<std::uint64_t>(cap, taken.events));
  BlockRef block = blocks_.take();
  PullWriter writer(records_, std::max(cap, 1u), *block, wiring_.config->limits);
  std::string error;
  const sluice_status status = source_.pull(writer.writer, error);
  block->shrink_last(writer.chunk, std::min(writer.writer.bytes_len, writer.writer.bytes_cap));
  if (writer.writer.release != nullptr) block->on_release(writer.writer.release, writer.writer.release_arg);
  if (writer.writer.count > writer.writer.cap) {
    stats_.breaches.add();
    writer.writer.count = writer.writer.cap;
  }

  const bool got = writer.writer.count > 0;
  switch (status) {
    case SLUICE_OK:
    case SLUICE_AGAIN:
      if (away_failures_ > 0 && got) {
        away_failures_ = 0;
        say(Level::info, "Source is back");
      }
      set_state(NodeState::running);
      break;
    case SLUICE_END:
      ended_.store(true, std::memory_order_release);
      break;
    case SLUICE_AWAY:
      went_away(now_ns, error);
      break;
    default:
      set_state(NodeState::broken);
      stats_.set_error(error, world_.clock.unix_ns());
      say(Level::error, "Source failed and is stopped", {{"reason", error, false}});
      ended_.store(true, std::memory_order_release);
      break;
  }
  if (!got) {
    give_back_credit();
    return status == SLUICE_END;
  }
  decode(writer.writer, std::move(block));
  (void)route_pending();
  return true;
}

/// After a halt a caller that still offers events is told so, and nothing of it goes on.
bool SourceLane::refuse_pull() {
  BlockRef block = blocks_.take();
  PullWriter writer(records_, static_cast<std::uint32_t>(records_.size()), *block, wiring_.config->limits);
  std::string error;
  const sluice_status status = source_.pull(writer.writer, error);
  if (writer.writer.release != nullptr) block->on_release(writer.writer.release, writer.writer.release_arg);
  const std::uint32_t count = std::min(writer.writer.count, writer.writer.cap);
  if (status != SLUICE_OK && status != SLUICE_AGAIN) ended_.store(true, std::memory_order_release);
  if (count == 0) return false;
  std::string text;
  {
    const std::lock_guard lock(halt_mutex_);
    text = halt_text_;
  }
  const PageId page = ledger_.open(next_seq_);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t record = ledger_.add_record(page, SLUICE_RECORD(&writer.writer, i)->tag);
    ledger_.settle_record(page, record, Outcome::retry, SLUICE_CODE_HALTED, text);
  }
  ledger_.close(page);
  settle_ready();
  return true;
}

void SourceLane::decode(const sluice_writer& writer, BlockRef block) {
  pending_.block = block;
  pending_.page = ledger_.open(next_seq_);
  event_record_.clear();
  dead_events_.clear();
  std::vector<std::uint64_t> tags;
  const bool keep = source_.cannot_hold() && wiring_.undelivered != nullptr;
  RecordContext context{name_, world_.clock.unix_ns(), 0, false};
  for (std::uint32_t i = 0; i < writer.count; ++i) {
    sluice_record record = *SLUICE_RECORD(&writer, i);
    const std::uint32_t number = ledger_.add_record(pending_.page, record.tag);
    if (keep) tags.push_back(record.tag);
    stats_.records_in.add();
    stats_.bytes_in.add(record.len);
    const auto* bytes = reinterpret_cast<const char*>(record.ptr);
    if (writer.release != nullptr && (record.flags & SLUICE_PADDED) == 0) {
      record.ptr = reinterpret_cast<const std::uint8_t*>(block->keep({bytes, record.len}).data());
    }
    context.random = world_.seed ^ (next_seq_ + i) * 0x9e3779b97f4a7c15ull;
    const std::size_t before = block->events.size();
    if (const auto reject = decoder_.decode(record, context, *block)) {
      reject_record(pending_.page, number, *reject, record, *block);
      continue;
    }
    for (std::size_t event = before; event < block->events.size(); ++event) {
      sluice_event& made = block->events[event];
      made.origin = ledger_.add_event(pending_.page, number);
      made.seq = next_seq_++;
      const std::uint16_t type = types_.id_of(text_of(made, made.type));
      set_type_id(made, type);
      stats_.by_type[type].in.add();
      event_record_.push_back(number);
    }
  }
  block->pulled.swap(block->events);
  block->events.clear();
  pending_.next = 0;
  pending_.end = block->pulled.size();
  if (keep) {
    keep_for_undelivered(pending_);
    kept_.back().tags = std::move(tags);
  }
  send_dead_letters();
}

void SourceLane::reject_record(PageId page, std::uint32_t record, const Reject& reject, const sluice_record& raw,
                               Block& block) {
  stats_.undecodable.add();
  ++undecodable_unlogged_;
  const std::uint64_t now_ns = now();
  if (undecodable_logged_ns_ == 0 || now_ns >= undecodable_logged_ns_ + kSecond) {
    const std::string_view position(raw.position.ptr == nullptr ? "" : raw.position.ptr, raw.position.len);
    say(Level::warn, "Record is not a valid event and is rejected",
        {{"code", reject.code, false},
         {"reason", reject.reason, false},
         {"position", std::string(position), false},
         {"count", std::to_string(undecodable_unlogged_), true}});
    undecodable_logged_ns_ = now_ns;
    undecodable_unlogged_ = 0;
    stats_.set_error(reject.reason, world_.clock.unix_ns());
  }
  const int code = std::string_view(reject.code) == "too_large" ? SLUICE_CODE_TOO_LARGE : SLUICE_CODE_UNDECODABLE;
  const std::string reason = std::string(reject.code) + ": " + reject.reason;
  if (wiring_.graph->nodes[wiring_.self].dead_letter.empty()) {
    ledger_.settle_record(page, record, Outcome::rejected, code, reason);
    return;
  }
  const std::int64_t unix_ns = world_.clock.unix_ns();
  sluice_event wrapped = wrap_undecodable(
      block, {reinterpret_cast<const char*>(raw.ptr), raw.len},
      {.node = name_, .reason = reason, .code = 0, .attempts = 1, .first_unix_ns = unix_ns, .last_unix_ns = unix_ns},
      {raw.position.ptr == nullptr ? "" : raw.position.ptr, raw.position.len}, next_seq_);
  wrapped.origin = ledger_.add_event(page, record);
  wrapped.seq = next_seq_++;
  set_type_id(wrapped, types_.id_of(text_of(wrapped, wrapped.type)));
  ledger_.mark(page, wrapped.origin, Outcome::rejected, code, reason);
  dead_events_.push_back(wrapped);
}

void SourceLane::send_dead_letters() {
  if (dead_events_.empty()) return;
  Block& block = *pending_.block;
  auto* kept = block.allocate_array<sluice_event>(dead_events_.size());
  std::ranges::copy(dead_events_, kept);
  const std::span<const sluice_event> events(kept, dead_events_.size());
  for (const NodeIndex lane : wiring_.graph->nodes[wiring_.self].dead_letter) {
    const std::uint8_t was_required = std::exchange(required_[lane], std::uint8_t{1});
    push(*wiring_.lane_of[lane], lane, events);
    required_[lane] = was_required;
  }
}

// ---- routing ----

bool SourceLane::route_pending() {
  Block& block = *pending_.block;
  if (halt_.load(std::memory_order_acquire)) {
    refuse({block.pulled.data() + pending_.next, pending_.end - pending_.next});
    pending_.next = pending_.end;
  }
  while (pending_.next < pending_.end) {
    const std::size_t count = std::min<std::size_t>(pending_.end - pending_.next, records_.size());
    const std::span<const sluice_event> slice(block.pulled.data() + pending_.next, count);
    if (!credit_taken_ && !take_credit_for(count + derived_reserve_,
                                           bytes_of(slice) + (derived_reserve_ > 0 ? limits::kDerivedBytes : 0))) {
      return false;
    }
    route_slice(slice);
    pending_.next += count;
    give_back_credit();
    if (halt_.load(std::memory_order_acquire)) {
      refuse({block.pulled.data() + pending_.next, pending_.end - pending_.next});
      pending_.next = pending_.end;
    }
  }
  give_back_credit();
  const PageId page = pending_.page;
  pending_ = {};
  ledger_.close(page);
  settle_ready();
  return true;
}

void SourceLane::route_slice(std::span<const sluice_event> events) {
  for (const sluice_event& event : events) stats_.by_type[type_id(event)].out.add();
  route(wiring_.graph->nodes[wiring_.self].out[0], events);
}

void SourceLane::route(const std::vector<NodeIndex>& targets, std::span<const sluice_event> events) {
  if (events.empty()) return;
  for (const NodeIndex target : targets) deliver(target, events);
}

std::span<const sluice_event> SourceLane::select(std::span<const sluice_event> events, const Filter& filter,
                                                 bool want) {
  std::size_t first_other = 0;
  while (first_other < events.size() && filter.matches(events[first_other]) == want) ++first_other;
  if (first_other == events.size()) return events;
  auto* chosen = pending_.block->allocate_array<sluice_event>(events.size());
  std::copy_n(events.data(), first_other, chosen);
  std::size_t count = first_other;
  for (std::size_t i = first_other + 1; i < events.size(); ++i) {
    if (filter.matches(events[i]) == want) chosen[count++] = events[i];
  }
  return {chosen, count};
}

void SourceLane::deliver(NodeIndex target, std::span<const sluice_event> events) {
  const GraphNode& node = wiring_.graph->nodes[target];
  const NodeConfig& config = wiring_.config->nodes[node.config];
  const std::span<const sluice_event> chosen = config.when ? select(events, *config.when, true) : events;
  if (DeliveryLane* lane = wiring_.lane_of[target]; lane != nullptr) {
    if (!chosen.empty()) push(*lane, target, chosen);
    return;
  }
  // An inline consumer judges what its `when` picks; the rest passes by unjudged.
  if (config.when && chosen.size() < events.size()) route(node.out[0], select(events, *config.when, false));
  if (!chosen.empty()) consume(target, chosen);
}

void SourceLane::owe(std::span<const sluice_event> events) {
  by_origin(events, [&](std::uint32_t origin, std::uint32_t count) { ledger_.owe(pending_.page, origin, count); });
}

void SourceLane::push(DeliveryLane& lane, NodeIndex target, std::span<const sluice_event> events) {
  const std::uint64_t bytes = bytes_of(events);
  const bool required = required_[target] != 0;
  if (gating_[target] != 0) {
    if (!credit_taken_) {
      lane.credit.take_more(events.size(), bytes);  // a dead letter of the source itself, before its slice
    } else {
      for (Taken& taken : taken_) {
        if (taken.lane != &lane) continue;
        taken.used_events += events.size();
        taken.used_bytes += bytes;
      }
    }
  } else if (!lane.credit.try_take(events.size(), bytes, nullptr)) {
    overflow(lane, target, events);
    return;
  }
  if (required) owe(events);
  lane.push({pending_.block, events.data(), static_cast<std::uint32_t>(events.size()), bytes, required ? this : nullptr,
             pending_.page, now(), false});
}

/// The lane is full and does not gate this source. What still fits goes in; for the rest its policy decides.
void SourceLane::overflow(DeliveryLane& lane, NodeIndex target, std::span<const sluice_event> events) {
  const bool required = required_[target] != 0;
  std::size_t fits = 0;
  std::uint64_t bytes = 0;
  while (fits < events.size() && lane.credit.try_take(1, events[fits].json.len, nullptr))
    bytes += events[fits++].json.len;
  if (fits > 0) {
    const auto head = events.first(fits);
    if (required) owe(head);
    lane.push({pending_.block, head.data(), static_cast<std::uint32_t>(fits), bytes, required ? this : nullptr,
               pending_.page, now(), false});
  }
  auto rest = events.subspan(fits);
  const GraphNode& node = wiring_.graph->nodes[target];
  if (wiring_.config->nodes[node.config].delivery.when_full == WhenFull::dead_letter && !node.dead_letter.empty()) {
    DeliveryLane& dead = *wiring_.lane_of[node.dead_letter.front()];
    std::size_t held = 0;
    bytes = 0;
    while (held < rest.size() && dead.credit.try_take(1, rest[held].json.len, nullptr)) bytes += rest[held++].json.len;
    if (held > 0) {
      const auto head = rest.first(held);
      if (required) owe(head);
      lane.push({pending_.block, head.data(), static_cast<std::uint32_t>(held), bytes, required ? this : nullptr,
                 pending_.page, now(), true});
      rest = rest.subspan(held);
    }
  }
  if (rest.empty()) return;
  auto& stats = const_cast<NodeStats&>(lane.stats());
  stats.dropped_full.add_shared(rest.size());
  if (required) {
    contribute(rest, Outcome::retry, SLUICE_CODE_FULL, "the queue of " + lane.name() + " is full");
  }
}

void SourceLane::contribute(std::span<const sluice_event> events, Outcome outcome, std::int32_t code,
                            std::string_view reason) {
  for (const sluice_event& event : events) {
    if (event.origin != kNoOrigin) ledger_.contribute(pending_.page, event.origin, outcome, code, reason);
  }
}

void SourceLane::refuse(std::span<const sluice_event> events) {
  std::string text;
  {
    const std::lock_guard lock(halt_mutex_);
    text = halt_text_;
  }
  const bool halted = !text.empty();
  contribute(events, Outcome::retry, halted ? SLUICE_CODE_HALTED : SLUICE_CODE_STOPPING,
             halted ? text : "the host is stopping");
}

// ---- inline consumers ----

void SourceLane::consume(NodeIndex target, std::span<const sluice_event> events) {
  InlineConsumer& consumer = *wiring_.consumer_of[target];
  NodeStats& stats = consumer.stats();
  for (const sluice_event& event : events) consumer.count(stats.by_type[type_id(event)].in);
  if (depth_ == judgements_.size()) judgements_.push_back(std::make_unique<Judgement>());
  Judgement& judgement = *judgements_[depth_++];
  consumer.process(events, *pending_.block, judgement);
  if (judgement.halted) {
    {
      const std::lock_guard lock(halt_mutex_);
      if (halt_text_.empty()) halt_text_ = judgement.halt_text;
    }
    halt_.store(true, std::memory_order_release);
    wiring_.halt(judgement.halt_text);
  }
  if (judgement.all_pass && judgement.derived.empty()) {
    for (const sluice_event& event : events) consumer.count(stats.by_type[type_id(event)].out);
    route(wiring_.graph->nodes[target].out[0], events);
  } else {
    route_verdicts(target, events, judgement);
  }
  --depth_;
}

void SourceLane::route_verdicts(NodeIndex target, std::span<const sluice_event> events, Judgement& judgement) {
  const GraphNode& node = wiring_.graph->nodes[target];
  InlineConsumer& consumer = *wiring_.consumer_of[target];
  NodeStats& stats = consumer.stats();
  // Derived events get their place in the ledger: they share their cause's record, or nobody is told.
  for (const Derived& derived : judgement.derived) {
    sluice_event& event = pending_.block->events[derived.event];
    event.seq = next_seq_++;
    set_type_id(event, types_.id_of(text_of(event, event.type)));
    event.origin = kNoOrigin;
    if (derived.parent < events.size() && events[derived.parent].origin != kNoOrigin) {
      event.origin =
          derived.replaces
              ? events[derived.parent].origin
              : ledger_.add_event(pending_.page, ledger_.record_of(pending_.page, events[derived.parent].origin), true);
    }
  }
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    TypeCounters& counters = stats.by_type[type_id(events[i])];
    const std::uint8_t verdict = judgement.verdicts[i];
    const auto one = events.subspan(i, 1);
    switch (verdict) {
      case SLUICE_TO_DROP:
        consumer.count(counters.dropped);
        break;
      case SLUICE_TO_REJECT: {
        consumer.count(counters.rejected);
        const std::string_view reason = judgement.reason_of(i);
        contribute(one, Outcome::rejected, 0,
                   std::string("rejected by ") + node.name + (reason.empty() ? "" : ": ") + std::string(reason));
        break;
      }
      case SLUICE_TO_REFUSE: {
        consumer.count(counters.rejected);
        std::string_view reason = judgement.reason_of(i);
        if (reason.empty()) reason = judgement.halt_text;
        contribute(one, Outcome::retry, SLUICE_CODE_HALTED,
                   reason.empty() ? "refused by " + node.name : std::string(reason));
        break;
      }
      default:
        if (verdict >= node.out.size()) {
          const std::string what = "gave verdict " + std::to_string(verdict) + ", but has " +
                                   std::to_string(node.out.size()) + " output ports";
          consumer.break_contract(what);
          contribute(one, Outcome::retry, 0, node.name + " " + what);
        } else {
          consumer.count(counters.out);
        }
        break;
    }
  }
  for (std::uint32_t port = 0; port < node.out.size(); ++port) route(node.out[port], adopt(events, judgement, port));
  if (!node.rejected_out.empty()) route(node.rejected_out, adopt(events, judgement, SLUICE_TO_REJECT));
}

/// The dense run of one output port: what was judged to it (replaced events in their new form), then what was derived.
std::span<sluice_event> SourceLane::adopt(std::span<const sluice_event> events, Judgement& judgement,
                                          std::uint32_t port) {
  auto* run = pending_.block->allocate_array<sluice_event>(events.size() + judgement.derived.size());
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    if (judgement.verdicts[i] != port) continue;
    const sluice_event* event = &events[i];
    for (const Derived& derived : judgement.derived) {
      if (derived.replaces && derived.parent == i) event = &pending_.block->events[derived.event];
    }
    run[count++] = *event;
  }
  for (const Derived& derived : judgement.derived) {
    if (!derived.replaces && derived.port == port) run[count++] = pending_.block->events[derived.event];
  }
  return {run, count};
}

void SourceLane::tick_consumers(std::uint64_t now_ns) {
  std::uint64_t next = 0;
  for (const NodeIndex index : reach_.consumers) {
    InlineConsumer& consumer = *wiring_.consumer_of[index];
    if (!consumer.ticks()) continue;
    if (wiring_.graph->shared(index) && wiring_.graph->sources.front().source != wiring_.self) continue;
    if (pending_.block) return;  // a pull is half routed: its turn first
    // A timer may emit: it needs credit like a pull.
    const bool emits = consumer.emits();
    if (emits && !take_credit_for(limits::kDerivedPerCall, limits::kDerivedBytes)) return;
    if (depth_ == judgements_.size()) judgements_.push_back(std::make_unique<Judgement>());
    Judgement& judgement = *judgements_[depth_++];
    if (emits) pending_.block = blocks_.take();
    const std::uint64_t due = consumer.tick(now_ns, emits ? pending_.block.get() : nullptr, judgement);
    if (emits && !judgement.derived.empty()) {
      pending_.page = ledger_.open(next_seq_);
      route_verdicts(index, {}, judgement);
      ledger_.close(pending_.page);
    }
    if (emits) {
      pending_ = {};
      give_back_credit();
    }
    --depth_;
    if (due != kNever) next = next == 0 ? due : std::min(next, due);
  }
  next_tick_ns_ = next == 0 ? kNever : next;
}

}  // namespace sluice
