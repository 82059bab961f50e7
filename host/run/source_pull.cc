// Pulling: credit first, then records, then events in a block with their places in the ledger.
#include "run/source_lane.hh"

#include "core/assert.hh"
#include "core/backoff.hh"
#include "core/dead_letter.hh"

#include <algorithm>
#include <cstring>

namespace sluice {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

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

}  // namespace

/// For so many events, and for what the consumers may add to them.
bool SourceLane::take_credit_for(std::uint64_t events, std::uint64_t bytes) {
  SLUICE_ASSERT(!credit_taken_);
  events += emitters_ * derived_max(events);
  bytes += emitters_ > 0 ? limits::kDerivedBytes : 0;
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
  const Status status = node_->start(limits::kStartTimeout);
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
  if (pending_.block || pulls_.size() >= (pulls_ahead_ ? DecodeAhead::kPullsMax : 1)) return false;
  if (!take_credit_for(pull_events_, limits::kPullBytes)) return false;
  room_ = true;
  std::uint32_t cap = pull_events_;
  for (const Taken& taken : taken_) cap = static_cast<std::uint32_t>(std::min<std::uint64_t>(cap, taken.events));
  std::unique_ptr<Pull> pull = take_pull();
  pull->block = blocks_.take();
  Block& block = *pull->block;
  PullWriter writer(pull->records, std::max(cap, 1u), block, wiring_.config->limits);
  std::string error;
  const sluice_status status = source_.pull(writer.writer, error);
  block.shrink_last(writer.chunk, std::min(writer.writer.bytes_len, writer.writer.bytes_cap));
  if (writer.writer.release != nullptr) block.on_release(writer.writer.release, writer.writer.release_arg);
  if (writer.writer.count > writer.writer.cap) {
    stats_.breaches.add();
    writer.writer.count = writer.writer.cap;
  }
  pull->count = writer.writer.count;
  pull->copies_bytes = writer.writer.release != nullptr;

  const bool got = pull->count > 0;
  heed(status, got, error, now_ns);
  if (!got) {
    give_back_credit();
    put_back(std::move(pull));
    return status == SLUICE_END;
  }
  take_in(std::move(pull), cap);
  return true;
}

/// What the source said beside its records.
void SourceLane::heed(sluice_status status, bool got, const std::string& error, std::uint64_t now_ns) {
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
}

/// Decodes a pull at once, or, in a flood, leaves it to the thread that decodes ahead.
void SourceLane::take_in(std::unique_ptr<Pull> pull, std::uint32_t cap) {
  pull->first = records_pulled_;
  records_pulled_ += pull->count;
  pull->unix_ns = world_.clock.unix_ns();
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < pull->count; ++i) bytes += pull->records[i].len;
  stats_.records_in.add(pull->count);
  stats_.bytes_in.add(bytes);
  pull->taken = taken_;
  pull->holds_credit = std::exchange(credit_taken_, false);
  pull->promised = cap;

  const bool full = pull->count >= (cap + 1) / 2 || bytes >= limits::kPullBytes / 2;
  pull_events_ = full ? std::min(2 * pull_events_, pull_events_max_) : batch_events_;
  const bool flood = full || pull->count >= (std::min(cap, batch_events_) + 1) / 2;
  const bool later = pulls_ahead_ && flood && pull->keep_for_later();
  pull->offer();
  pulls_.push_back(std::move(pull));
  Pull& newest = *pulls_.back();
  if (!later) {
    if (newest.claim()) newest.decode(decoder_, name_, world_.seed);
    (void)route_ready();
  } else if (ahead_ != nullptr) {
    ahead_->offer(newest);
  }
}

/// Routes what is decoded, oldest first. True when something moved.
bool SourceLane::route_ready() {
  bool progress = false;
  if (pending_.asking) {
    progress = hear_keys();
  } else if (pending_.block) {
    progress = route_pending();
  }
  while (!pending_.block && !pulls_.empty() && pulls_.front()->decoded()) {
    std::unique_ptr<Pull> pull = std::move(pulls_.front());
    pulls_.pop_front();
    begin(*pull);
    put_back(std::move(pull));
    send_dead_letters();
    if (dedup_ == nullptr || ask_keys()) (void)route_pending();
    progress = true;
  }
  if (pending_.block) give_back_credit_ahead();
  return progress;
}

/// With nothing better to do the lane decodes, too: the oldest pull that nobody has claimed.
bool SourceLane::decode_here() {
  for (const std::unique_ptr<Pull>& pull : pulls_) {
    if (!pull->claim()) continue;
    pull->decode(decoder_, name_, world_.seed);
    return true;
  }
  return false;
}

/// What is half routed needs credit: the pulls behind it must not hold what it waits for.
void SourceLane::give_back_credit_ahead() {
  for (const std::unique_ptr<Pull>& pull : pulls_) {
    if (!std::exchange(pull->holds_credit, false)) continue;
    for (const Taken& taken : pull->taken) taken.lane->credit.give_back(taken.events, taken.bytes);
  }
}

std::unique_ptr<Pull> SourceLane::take_pull() {
  if (idle_pulls_.empty()) return std::make_unique<Pull>(pull_events_max_);
  std::unique_ptr<Pull> pull = std::move(idle_pulls_.back());
  idle_pulls_.pop_back();
  return pull;
}

void SourceLane::put_back(std::unique_ptr<Pull> pull) {
  pull->clear();
  idle_pulls_.push_back(std::move(pull));
}

/// After a halt a caller that still offers events is told so, and nothing of it goes on.
bool SourceLane::refuse_pull() {
  std::unique_ptr<Pull> pull = take_pull();
  BlockRef block = blocks_.take();
  PullWriter writer(pull->records, batch_events_, *block, wiring_.config->limits);
  std::string error;
  const sluice_status status = source_.pull(writer.writer, error);
  if (writer.writer.release != nullptr) block->on_release(writer.writer.release, writer.writer.release_arg);
  const std::uint32_t count = std::min(writer.writer.count, writer.writer.cap);
  if (status != SLUICE_OK && status != SLUICE_AGAIN) ended_.store(true, std::memory_order_release);
  if (count == 0) {
    put_back(std::move(pull));
    return false;
  }
  std::string text;
  {
    const std::lock_guard lock(halt_mutex_);
    text = halt_text_;
  }
  const PageId page = ledger_.open(next_seq_, now());
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t record = ledger_.add_record(page, SLUICE_RECORD(&writer.writer, i)->tag);
    ledger_.settle_record(page, record, Outcome::retry, SLUICE_CODE_HALTED, text);
  }
  ledger_.close(page);
  put_back(std::move(pull));
  settle_ready();
  return true;
}

/// Gives a decoded pull its places in the ledger. From here on it is the one that is routed.
void SourceLane::begin(Pull& pull) {
  pending_.block = pull.block;
  pending_.page = ledger_.open(next_seq_, now());
  if (std::exchange(pull.holds_credit, false)) {
    taken_.swap(pull.taken);
    credit_taken_ = true;
    pending_.promised = pull.promised;
  }
  Block& block = *pending_.block;
  event_record_.clear();
  dead_events_.clear();
  std::uint32_t event = 0;
  auto reject = pull.rejects.begin();
  for (std::uint32_t i = 0; i < pull.count; ++i) {
    const std::uint32_t number = ledger_.add_record(pending_.page, pull.records[i].tag);
    for (; event < pull.events_up_to[i]; ++event) {
      sluice_event& made = block.events[event];
      made.origin = ledger_.add_event(pending_.page, number);
      made.seq = next_seq_++;
      const std::uint16_t type = types_.id_of(text_of(made, made.type));
      set_type_id(made, type);
      stats_.by_type[type].in.add();
      if (keeps_undelivered_ || dedup_ != nullptr) event_record_.push_back(number);
    }
    if (reject != pull.rejects.end() && reject->first == i) {
      reject_record(pending_.page, number, reject->second, pull.records[i], block);
      ++reject;
    }
  }
  block.pulled.swap(block.events);
  block.events.clear();
  pending_.next = 0;
  pending_.end = block.pulled.size();
  if (keeps_undelivered_) keep_for_undelivered(pull);
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

}  // namespace sluice
