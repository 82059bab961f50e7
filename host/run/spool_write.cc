// Into the spool: redaction, writing, the sync, and only then the sink's answer. What becomes of events that find it
// full.
#include "run/spool_lane.hh"

#include <algorithm>

namespace sluice {

namespace {
constexpr std::uint64_t kWriteBytes = 1024 * 1024;  // records gathered for one write

std::uint64_t spool_bytes_of(const Run& run) noexcept { return run.bytes + run.count * kRecordHeaderBytes; }
}  // namespace

/// Before anything of the run is written.
void SpoolLane::redact(Run& run) {
  if (!redaction_.apply(run, blocks_)) return;
  const std::uint64_t left = bytes_of(run.view());  // credit was taken for the size that came
  if (left < run.bytes) credit.give_back(0, run.bytes - left);
  if (left > run.bytes) credit.take_more(0, left - run.bytes);
  run.bytes = left;
}

void SpoolLane::write_waiting(std::uint64_t now_ns) {
  std::size_t added = 0;
  std::uint64_t added_bytes = 0;
  const std::int64_t unix_ns = world_.clock.unix_ns();
  while (added < waiting_.size()) {
    const Run& run = waiting_[added];
    const bool last_segment_done = log_.wants_new_segment() && log_.synced() != log_.next();
    if (now_ns < disk_retry_ns_ || log_.is_full(spool_bytes_of(run)) || last_segment_done) {
      if (added > 0) {  // first what has been added
        write_added(added, now_ns);
        added = 0;
        added_bytes = 0;
        continue;
      }
      if (last_segment_done && now_ns >= disk_retry_ns_) {
        sync(now_ns);
        continue;
      }
      if (!overflow(now_ns)) return;
      continue;
    }
    for (const sluice_event& event : run.view()) {
      const std::uint32_t flags = (event.flags & SLUICE_SYNTHETIC) != 0 ? kSpoolSynthetic : 0;
      log_.add(unix_ns, flags, {event.text + event.json.at, event.json.len});
    }
    added_bytes += run.bytes;
    if (++added < waiting_.size() && added_bytes < kWriteBytes) continue;
    write_added(added, now_ns);  // a disk that refuses is not asked again: then the policy decides, at once
    added = 0;
    added_bytes = 0;
  }
}

/// The first `runs` of those that wait become records, or, when the disk refuses, wait on.
void SpoolLane::write_added(std::size_t runs, std::uint64_t now_ns) {
  std::uint64_t number = log_.next();
  if (const SpoolAnswer answer = log_.write(world_.clock.unix_ns()); !answer.ok()) {
    disk_refused(answer, now_ns);
    return;
  }
  if (unsynced_.empty()) first_unsynced_ns_ = now_ns;
  for (; runs > 0; --runs) {
    Run run = std::move(waiting_.front());
    waiting_.pop_front();
    if (written_before_ > 0) --written_before_;
    unsynced_events_ += run.count;
    unsynced_bytes_ += run.bytes;
    const std::uint64_t first = std::exchange(number, number + run.count);
    unsynced_.push_back({std::move(run), first});
  }
  feed_from_memory();
  if (waiting_.empty()) set_full(false, {});
}

/// No room for the first run that waits: the policy decides. True: it is gone.
bool SpoolLane::overflow(std::uint64_t now_ns) {
  set_full(true, now_ns < disk_retry_ns_ ? std::string_view(disk_said_) : "it has reached max_bytes");
  if (written_before_ > 0) return false;
  Run& run = waiting_.front();
  switch (policy_.on_full) {
    case SpoolPolicy::OnFull::block:
      return false;
    case SpoolPolicy::OnFull::drop_newest:
      stats_.dropped_full.add_shared(run.count);
      if (keeping_) {
        tell_delivered(run);  // dropped and counted here; its delivery goes on
      } else {
        refuse(run, SLUICE_CODE_FULL, "the spool of " + name_ + " is full");
      }
      break;
    case SpoolPolicy::OnFull::dead_letter: {
      if (dead_lane_ == nullptr || hold_.load(std::memory_order_acquire)) return false;
      CreditPool& room = dead_lane_->credit;
      if (!room.try_take(run.count, run.bytes, this)) {
        if (room.used().first > 0) return false;
        room.take_more(run.count, run.bytes);  // more than ever fits: alone
      }
      freed_events_ += run.count;
      freed_bytes_ += run.bytes;
      run.overflow = true;  // the backend lane buries what comes so, and tells the sink
      down_.push(std::move(run));
      break;
    }
  }
  waiting_.pop_front();
  return true;
}

void SpoolLane::refuse(const Run& run, std::int32_t code, std::string_view reason) {
  freed_events_ += run.count;
  freed_bytes_ += run.bytes;
  if (run.sink == nullptr) return;
  std::vector<Completion> completions;
  for (const sluice_event& event : run.view()) {
    if (event.origin == kNoOrigin) continue;
    completions.push_back({run.page, event.origin, 1, Outcome::retry, code, std::string(reason), false, keeping_});
  }
  run.sink->settled(std::move(completions));
}

// ---- the sync, and what it allows ----

std::uint64_t SpoolLane::sync_due_ns() const noexcept {
  // Sources should not run out of credit while a commit waits for company.
  const bool many = unsynced_events_ >= credit.max_events() / 2 || unsynced_bytes_ >= credit.max_bytes() / 2;
  if (many || policy_.fsync == SpoolPolicy::Fsync::every_batch) return std::max(disk_retry_ns_, first_unsynced_ns_);
  const std::uint64_t due = policy_.fsync == SpoolPolicy::Fsync::interval
                                ? last_sync_ns_ + as_ns(policy_.interval)
                                : first_unsynced_ns_ + as_ns(policy_.group_commit);
  return std::max(disk_retry_ns_, due);
}

void SpoolLane::sync(std::uint64_t now_ns) {
  const SpoolAnswer answer = log_.sync();
  unsynced_events_ = unsynced_bytes_ = 0;
  last_sync_ns_ = now_ns;
  if (!answer.ok()) {
    // All of it has been taken back: it is written again, under the same numbers.
    written_before_ += unsynced_.size();
    while (!unsynced_.empty()) {
      waiting_.push_front(std::move(unsynced_.back().run));
      unsynced_.pop_back();
    }
    disk_refused(answer, now_ns);
    return;
  }
  for (Written& written : unsynced_) {
    tell_delivered(written.run);
    keep_in_hand(std::move(written));
  }
  unsynced_.clear();
  if (!disk_said_.empty()) {
    say(Level::info, "The spool's disk takes events again");
    disk_said_.clear();
  }
}

void SpoolLane::tell_delivered(const Run& run) {
  freed_events_ += run.count;
  freed_bytes_ += run.bytes;
  if (run.sink == nullptr) return;
  auto found = std::ranges::find(told_, run.sink, &std::pair<SettleSink*, std::vector<Completion>>::first);
  if (found == told_.end()) found = told_.insert(told_.end(), {run.sink, {}});
  std::vector<Completion>& completions = found->second;
  for (std::uint32_t i = 0; i < run.count;) {
    const std::uint32_t from = i++;
    const std::uint32_t origin = run.events[from].origin;
    if (origin == kNoOrigin) continue;
    while (i < run.count && run.events[i].origin == origin + (i - from)) ++i;
    completions.push_back({run.page, origin, i - from, Outcome::delivered, 0, {}, false, keeping_});
  }
}

/// Behind publish_figures(): whoever sees the credit come back sees the backlog, too.
void SpoolLane::flush_told() {
  for (auto& [sink, completions] : told_) {
    if (completions.empty()) continue;
    sink->settled(std::move(completions));
    completions.clear();
  }
  if (freed_events_ + freed_bytes_ == 0) return;
  credit.give_back(freed_events_, freed_bytes_);
  freed_events_ = freed_bytes_ = 0;
}

// ---- a disk that refuses, a spool that is full ----

void SpoolLane::disk_refused(const SpoolAnswer& answer, std::uint64_t now_ns) {
  disk_retry_ns_ = now_ns + as_ns(limits::kSpoolDiskRetry);
  stats_.set_error("spool: " + answer.text, world_.clock.unix_ns());
  if (disk_said_.empty()) {
    say(Level::error, "The spool's disk refused; it is tried again",
        {{"reason", answer.text, false}, {"path", store_.place(), false}});
  }
  disk_said_ = answer.text;
}

void SpoolLane::set_full(bool full, std::string_view why) {
  if (full == full_) return;
  full_ = full;
  if (!full) {
    say(Level::info, "The spool has room again");
    return;
  }
  const char* then = policy_.on_full == SpoolPolicy::OnFull::block         ? "sources wait"
                     : policy_.on_full == SpoolPolicy::OnFull::drop_newest ? "new events are dropped"
                                                                           : "new events go to the dead letters";
  stats_.set_error("the spool is full: " + std::string(why), world_.clock.unix_ns());
  say(Level::warn, "The spool is full",
      {{"why", std::string(why), false},
       {"on_full", then, false},
       {"bytes", std::to_string(log_.bytes()), true},
       {"records", std::to_string(log_.open_records()), true}});
}

}  // namespace sluice
