// The lane itself: what others ask of it, its round, its settlements, its end.
#include "run/source_lane.hh"

#include "core/assert.hh"

#include <algorithm>

namespace sluice {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::chrono::milliseconds kQuietRest{100};  // an ended lane still answers its node's own timers

std::string_view text_of(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }

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
      batch_events_(wiring_.config->batch_events),
      keeps_undelivered_(node.cannot_hold() && wiring_.undelivered != nullptr),
      says_published_(wiring_.config->events_dialect && wiring_.config->log.events && reach_.required.size() > 1),
      required_(wiring_.graph->nodes.size()),
      keeping_(wiring_.graph->nodes.size()),
      gating_(wiring_.graph->nodes.size()),
      undelivered_redactor_(redacted_by_any(*wiring_.graph, *wiring_.config, reach_)) {
  node.attach(this);
  if (config_.dedup) dedup_ = std::make_unique<DedupGate>(*config_.dedup, ledger_, stats_, wiring_.key_store);
  for (const NodeIndex lane : reach_.required) required_[lane] = 1;
  for (const NodeIndex lane : reach_.keeping) keeping_[lane] = 1;
  picks_.resize(wiring_.graph->nodes.size());
  for (const NodeIndex lane : reach_.lanes) {
    if (const ObserverWants* wants = wiring_.wants_of[lane].get(); wants != nullptr) {
      picks_[lane] = std::make_unique<ObserverPicks>(*wants);
    }
  }
  for (const NodeIndex lane : reach_.gating) {
    gating_[lane] = 1;
    taken_.push_back({wiring_.lane_of[lane]});
  }
  for (const NodeIndex consumer : reach_.consumers) {
    if (wiring_.consumer_of[consumer]->emits()) ++emitters_;
    if (!wiring_.graph->shared(consumer) || wiring_.graph->sources.front().source == wiring_.self) {
      wiring_.consumer_of[consumer]->set_waker(this);
    }
  }
}

void SourceLane::pull_ahead(bool with_thread) {
  pulls_ahead_ = true;
  // Fewer, larger pulls: each costs its turn with the decoder and with every lane. Small queues keep small ones, else
  // one pull would fill a queue and the lanes would wait for each other.
  std::uint64_t room = std::uint64_t{limits::kFloodBatches} * batch_events_;
  for (const Taken& taken : taken_) room = std::min(room, taken.lane->credit.max_events() / limits::kFloodShare);
  pull_events_max_ = std::max(batch_events_, static_cast<std::uint32_t>(room));
  if (!with_thread) return;
  ahead_ = std::make_unique<DecodeAhead>(Decoder(config_.format, wiring_.config->limits), name_, world_.seed, *this);
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
    finish(max_rest);
    return;
  }
  room_ = false;
  bool pulled = false;
  progress |= route_ready();
  if (ended_.load(std::memory_order_relaxed)) {
    set_state(NodeState::ended);
  } else if (stopping) {
    if (!stopped_node_) {
      stopped_node_ = true;
      set_state(NodeState::draining);
      if (!halt_.load(std::memory_order_relaxed) || source_.in_order()) {
        (void)node_->stop(limits::kStartTimeout);
      }
    }
    if (halt_.load(std::memory_order_relaxed) && !source_.in_order()) progress |= refuse_pull();
  } else if (now_ns >= away_until_ns_) {
    if (!started_) try_start(now_ns);
    if (started_ && (dedup_ == nullptr || dedup_->has_room())) pulled = pull(now_ns);
  }
  if (!pulled && !pending_.block) pulled = decode_here();
  progress |= pulled;
  if (progress || now_ns >= next_tick_ns_) tick_consumers(now_ns);

  const bool nothing_more = ended_.load(std::memory_order_relaxed) || stopping;
  const bool all_settled =
      !pending_.block && pulls_.empty() && ledger_.empty() && !inbox_full_.load(std::memory_order_acquire);
  if (nothing_more && all_settled && !quiet_.load(std::memory_order_relaxed)) {
    quiet_.store(true, std::memory_order_release);
    if (monitor_ != nullptr) monitor_->wake();
  }
  open_records_.store(ledger_.open_records(), std::memory_order_relaxed);
  stats_.in_flight.set(ledger_.open_records());

  std::uint64_t until = now_ns + 60 * kSecond;
  if (away_until_ns_ > now_ns) until = std::min(until, away_until_ns_);
  if (next_tick_ns_ > 0) until = std::min(until, next_tick_ns_);
  const std::uint32_t room = room_ && !nothing_more ? batch_events_ : 0;
  (void)rest(now_ns, progress ? now_ns : until, nothing_more && all_settled ? std::min(max_rest, kQuietRest) : max_rest,
             room);
}

/// What is not routed yet is not delivered.
void SourceLane::refuse_pending() {
  if (!pending_.block) return;
  refuse({pending_.block->pulled.data() + pending_.next, pending_.end - pending_.next});
  give_back_credit();
  ledger_.close(pending_.page);
  pending_ = {};
}

void SourceLane::finish(std::chrono::milliseconds max_rest) {
  if (finished_.load(std::memory_order_relaxed)) return;
  if (pending_.asking) dedup_->forget();
  refuse_pending();
  for (const std::unique_ptr<Pull>& pull : pulls_) {
    if (pull->claim()) {
      pull->decode(decoder_, name_, world_.seed);
    } else if (!pull->decoded()) {
      ahead_->wait_for(*pull);
    }
    begin(*pull);
    refuse_pending();
  }
  std::ranges::move(pulls_, std::back_inserter(idle_pulls_));  // the thread that decodes ahead may still name them
  pulls_.clear();
  const std::uint64_t now_ns = now();
  (void)take_settlements(now_ns);
  if (!keys_are_recorded(now_ns)) {
    (void)rest(now_ns, now_ns + kSecond, max_rest, 0);
    return;
  }
  if (!stopped_node_ && !ended_.load(std::memory_order_relaxed)) {
    stopped_node_ = true;
    (void)node_->stop(limits::kStartTimeout);
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
      if (completion.waiting == Waiting::begins) {
        ledger_.waits(completion);
        continue;
      }
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
  if (dedup_ != nullptr) dedup_->work(now_ms());
  watch_ended();
  ledger_.take_settlements(settlements_);
  if (settlements_.empty()) return;
  settlements_out_.clear();
  const std::uint64_t now_ns = now();
  std::uint64_t opened_ns = settlements_.front().opened_ns, together = 0;  // records of one pull, mostly
  for (const Settlement& settlement : settlements_) {
    if (settlement.opened_ns != opened_ns) {
      stats_.settle_ns.add(now_ns - opened_ns, together);
      opened_ns = settlement.opened_ns;
      together = 0;
    }
    ++together;
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
  stats_.settle_ns.add(now_ns - opened_ns, together);
  source_.settle(settlements_out_);
  std::erase_if(kept_, [&](const Kept& kept) { return !ledger_.is_open(kept.page); });
}

void SourceLane::watch_ended() {
  ledger_.take_so_far(so_far_events_);
  for (const EventSoFar& event : so_far_events_) {
    say_published(std::to_string(event.delivered) + "/" + std::to_string(event.owed_total) + " succeeded, " +
                  std::to_string(event.waiting) + " waiting");
  }
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
  if (!says_published_) return;
  for (const EventEnd& event : ended_events_) {
    if (event.owed_total <= 1) continue;
    say_published(std::to_string(event.delivered) + "/" + std::to_string(event.owed_total) + " succeeded");
  }
}

/// The documents' line for each event, bounded per second like "Event published". An event that has to wait for a
/// backend that is away has two: at once how far it is, and how it ended.
void SourceLane::say_published(const std::string& how) {
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
  say(Level::info, "Multi-backend publish complete: " + how);
}

void SourceLane::keep_for_undelivered(const Pull& pull) {
  Kept kept{pending_.page, pending_.block, {}, event_record_};
  for (std::uint32_t i = 0; i < pull.count; ++i) kept.tags.push_back(pull.records[i].tag);
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

}  // namespace sluice
