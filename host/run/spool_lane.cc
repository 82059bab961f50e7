// The lane itself: what others say to it, its round, its end.
#include "run/spool_lane.hh"

#include "core/setup_error.hh"

#include <algorithm>

namespace sluice {

namespace {

/// Records were checked when they came in: what the spool reads back only has to be the same.
constexpr const char* kNotBeforeTheEnd = "not delivered before the host stopped";

EventLimits no_limits() { return {~std::uint64_t{0}, ~std::uint32_t{0}, 1, ~std::uint32_t{0}}; }

}  // namespace

SpoolLane::SpoolLane(std::string name, Node& node, LaneWorld world, NodeStats& stats, const NodeConfig& config,
                     std::uint32_t batch_events, SpoolStore& store, DeliveryLane& down, BlockPool& blocks,
                     TypeTable& types)
    : DeliveryLane(std::move(name), node, world, stats, {limits::kSpoolWaitingEvents, limits::kSpoolWaitingBytes}),
      policy_(config.delivery.spool),
      retry_(config.delivery.retry),
      batch_events_(std::max(batch_events, 1u)),
      store_(store),
      log_(store, {policy_.max_bytes, policy_.segment_bytes}),
      down_(down),
      redaction_(config.redact),
      blocks_(blocks),
      decoder_(cloudevents_format(), no_limits()),
      types_(types),
      random_(world.seed) {}

void SpoolLane::open() {
  if (const SpoolAnswer answer = log_.open(); !answer.ok()) {
    throw SetupError(name_ + (keeping_ ? ": queue: " : ": spool: ") + answer.text +
                     (keeping_ ? "; queue: {path: FOLDER} puts it elsewhere, queue: lossy does without" : ""));
  }
  feed_next_ = log_.cursor().low();
  heed_last_end();
  publish_figures();
  report_damage();
  if (const std::uint64_t left = log_.open_records(); left > 0) {
    say(Level::info,
        keeping_ ? "The queue holds events of an earlier run: they are shown first"
                 : "The spool holds events of an earlier run: they are delivered first",
        {{"count", std::to_string(left), true}, {"path", store_.place(), false}});
  }
}

/// An event on which the observer, or the whole process with it, failed each time is set aside like one that a far side
/// refused: step() does so before anything is fed.
void SpoolLane::heed_last_end() {
  UnderWay* const under_way = this->under_way();
  if (under_way == nullptr) return;
  under_way->heed_end(log_.cursor().low(), log_.next());
  const std::uint64_t ends = under_way->ends.load(std::memory_order_relaxed);
  const std::uint64_t from = under_way->suspects.load(std::memory_order_relaxed);
  const std::uint64_t count = under_way->suspects_end.load(std::memory_order_relaxed) - from;
  if (ends == 0) return;
  if (count > 1 || ends < limits::kObserverEnds) {
    say(Level::warn, "The last run ended while the observer was shown events, or it failed on them: now one by one",
        {{"count", std::to_string(count), true}, {"times", std::to_string(ends), true}});
    return;
  }
  const std::string reason = "the observer failed, or the process ended, " + std::to_string(ends) +
                             " times in a row while it was shown this event";
  rejected_.push_back({from, from + 1, 0, reason});
  under_way->acquit();
}

// ---- what others say, from any thread ----

void SpoolLane::push(Run&& run) {
  {
    const std::lock_guard lock(inbox_mutex_);
    if (!closed_) {
      inbox_runs_.push_back(std::move(run));
      inbox_full_.store(true, std::memory_order_release);
      wake();
      return;
    }
  }
  turn_away(run);
}

/// The lane has finished: what still comes is answered at the door.
void SpoolLane::turn_away(const Run& run) {
  if (run.sink != nullptr) {
    std::vector<Completion> completions;
    for (const sluice_event& event : run.view()) {
      if (event.origin == kNoOrigin) continue;
      completions.push_back(
          {run.page, event.origin, 1, Outcome::retry, SLUICE_CODE_STOPPING, kNotBeforeTheEnd, false, keeping_});
    }
    run.sink->settled(std::move(completions));
  }
  credit.give_back(run.count, run.bytes);
}

void SpoolLane::settled(std::vector<Completion>&& completions) noexcept {
  {
    const std::lock_guard lock(inbox_mutex_);
    std::ranges::move(completions, std::back_inserter(inbox_done_));
    inbox_full_.store(true, std::memory_order_release);
  }
  wake();
}

void SpoolLane::request_finish() noexcept {
  finish_.store(true, std::memory_order_release);
  wake();
}

// ---- one round ----

void SpoolLane::step(std::chrono::milliseconds max_rest) {
  waker_.clear();
  const std::uint64_t now_ns = now();
  take_in();
  for (const Completion& completion : work_done_) complete(completion, now_ns);
  work_done_.clear();
  if (finish_.load(std::memory_order_acquire)) {
    finish(max_rest);
    return;
  }
  write_waiting(now_ns);
  if (!unsynced_.empty() && sync_due_ns() <= now_ns) sync(now_ns);
  set_rejected_aside(now_ns);
  const bool more = feed(now_ns);
  if (completed_some_ && now_ns >= disk_retry_ns_) {
    completed_some_ = false;
    if (const SpoolAnswer answer = log_.tidy(); !answer.ok()) {
      completed_some_ = true;  // what nobody needs any more is removed when the disk answers again
      disk_refused(answer, now_ns);
    }
  }
  if (now_ns >= cursor_due_ns_ && unsynced_.empty()) {  // so it never speaks of records that a crash may take away
    cursor_due_ns_ = now_ns + as_ns(limits::kSpoolCursorInterval);
    if (const SpoolAnswer answer = log_.write_cursor(false); !answer.ok()) disk_refused(answer, now_ns);
  }
  publish_figures();
  flush_told();
  report_damage();
  if (!more) rest(now_ns, max_rest);
}

void SpoolLane::take_in() {
  if (!inbox_full_.load(std::memory_order_acquire)) return;
  std::vector<Run> runs;
  {
    const std::lock_guard lock(inbox_mutex_);
    runs.swap(inbox_runs_);
    work_done_.swap(inbox_done_);
    inbox_full_.store(false, std::memory_order_release);
  }
  for (Run& run : runs) {
    redact(run);
    waiting_.push_back(std::move(run));
  }
}

void SpoolLane::rest(std::uint64_t now_ns, std::chrono::milliseconds max_rest) {
  std::uint64_t until_ns = now_ns + 60'000'000'000;
  const auto sooner = [&](std::uint64_t when) { until_ns = std::min(until_ns, when); };
  if (!unsynced_.empty()) sooner(sync_due_ns());
  if (!waiting_.empty() && disk_retry_ns_ > now_ns) sooner(disk_retry_ns_);
  if (!rejected_.empty() && rejected_retry_ns_ > now_ns) sooner(rejected_retry_ns_);
  for (const auto& [number, again] : again_) {
    if (again.waiting) sooner(again.due_ns);
  }
  if (log_.cursor_changed() && unsynced_.empty()) sooner(cursor_due_ns_);  // else the sync comes first
  if (completed_some_ && disk_retry_ns_ > now_ns) sooner(disk_retry_ns_);
  if (finishing_) sooner(finish_retry_ns_);
  if (feed_next_ < log_.synced() && disk_retry_ns_ > now_ns) sooner(disk_retry_ns_);
  std::chrono::milliseconds wait{0};
  if (until_ns > now_ns) wait = std::chrono::milliseconds((until_ns - now_ns + 999'999) / 1'000'000);
  wait = std::min(wait, max_rest);
  if (wait.count() > 0 && waker_.prepare_sleep()) {
    pollfd wake_only{waker_.fd(), POLLIN, 0};
    (void)::poll(&wake_only, 1, static_cast<int>(wait.count()));
  }
  waker_.slept();
}

void SpoolLane::publish_figures() {
  const std::uint64_t open = log_.open_records();
  backlog_.store(open + rejected_.size(), std::memory_order_release);
  stats_.spool_records.set(open);
  stats_.spool_bytes.set(log_.bytes());
  stats_.spool_synced.set(log_.synced() - 1);
  stats_.spool_position.set(log_.cursor().low());
  stats_.spool_oldest_unix_ns.set(static_cast<std::uint64_t>(std::max<std::int64_t>(log_.oldest_unix_ns(), 0)));
  stats_.spool_full.set(full_ ? 1 : 0);
}

void SpoolLane::report_damage() {
  for (const SpoolDamage& damage : log_.take_damage()) {
    stats_.spool_corrupt.add();
    stats_.spool_lost.add(damage.records_lost);
    const std::string where = damage.segment == 0 ? std::string("cursor") : segment_name(damage.segment);
    const char* what = damage.segment == 0 ? "The spool's cursor is damaged: what is in the spool is delivered again"
                       : damage.torn       ? "The spool ends in an unfinished write, which is put aside; nothing of it "
                                             "was ever confirmed"
                                           : "The spool is damaged: what can be read is delivered, the segment is kept";
    say(damage.torn ? Level::warn : Level::error, what,
        {{"file", store_.place() + "/" + where, false},
         {"from_byte", std::to_string(damage.from), true},
         {"to_byte", std::to_string(damage.to), true},
         {"records_lost", std::to_string(damage.records_lost), true}});
  }
}

/// The backend lane has ended before: everything it was given has been answered. What came in is still kept.
/// A disk that refuses is asked a few times more: a completed segment that stays would be read by the next run.
void SpoolLane::finish(std::chrono::milliseconds max_rest) {
  if (finished_.load(std::memory_order_relaxed)) return;
  if (finishing_ && now() < finish_retry_ns_) return rest(now(), max_rest);
  finishing_ = true;
  in_hand_.clear();
  {
    const std::lock_guard lock(inbox_mutex_);
    closed_ = true;
  }
  take_in();
  const std::uint64_t now_ns = now();
  for (const Completion& completion : work_done_) complete(completion, now_ns);
  work_done_.clear();
  disk_retry_ns_ = rejected_retry_ns_ = 0;
  write_waiting(now_ns);
  if (!unsynced_.empty()) sync(now_ns);
  set_rejected_aside(now_ns);
  for (; !waiting_.empty(); waiting_.pop_front()) {
    refuse(waiting_.front(), SLUICE_CODE_STOPPING, kNotBeforeTheEnd);
  }
  SpoolAnswer answer = log_.write_cursor(true);
  if (answer.ok()) answer = log_.tidy(true);
  if (!answer.ok()) {
    disk_refused(answer, now_ns);
    if (++finish_tries_ < limits::kSpoolFinishTries) {
      finish_retry_ns_ = disk_retry_ns_;
      flush_told();
      return;
    }
  }
  publish_figures();
  flush_told();
  report_damage();
  if (const std::uint64_t left = log_.open_records(); left > 0) {
    say(Level::warn,
        keeping_ ? "Events stay in the queue; the next run shows them"
                 : "Events stay in the spool; the next run delivers them",
        {{"count", std::to_string(left), true}, {"path", store_.place(), false}});
  }
  store_.close();
  finished_.store(true, std::memory_order_release);
}

}  // namespace sluice
