// Out of the spool: handing on what is in memory while the backend keeps up, reading back when it fell behind, offering
// again what came back, setting aside what was rejected.
#include "run/spool_lane.hh"

#include "core/dead_letter.hh"

#include <algorithm>

namespace sluice {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::string_view text_of(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }

}  // namespace

bool SpoolLane::may_feed(std::uint64_t now_ns) const noexcept {
  return !finishing_ && !hold_.load(std::memory_order_acquire) && now_ns >= disk_retry_ns_ && !is_broken();
}

/// What the run has of the records to be handed on next, as it lies in memory. False when it has none of them, or when
/// there is no room.
bool SpoolLane::hand_on(const Run& run, std::uint64_t first) {
  if (feed_next_ < first || feed_next_ - first >= run.count) return false;
  if (again_.size() >= limits::kSpoolAgain || !may_feed(disk_retry_ns_)) return false;
  // A run holds its whole pull in memory, of which a filter may have picked one event. An observer that falls behind
  // reads from the disk instead, where what it wants lies close together.
  if (keeping_ && down_.credit.used().first >= limits::kObserverHandedOn) return false;
  const auto skipped = static_cast<std::uint32_t>(feed_next_ - first);
  const auto events = run.view().subspan(skipped);
  const auto count = static_cast<std::uint32_t>(events.size());
  const std::uint64_t bytes = skipped == 0 ? run.bytes : bytes_of(events);
  if (!down_.credit.try_take(count, bytes, this)) return false;
  BlockRef block = blocks_.take();
  auto* views = block->allocate_array<sluice_event>(count);
  std::ranges::copy(events, views);
  for (std::uint32_t i = 0; i < count; ++i) views[i].origin = i;
  block->keep_alive(BlockRef(run.block));
  down_.push({std::move(block), views, count, bytes, this, std::exchange(feed_next_, first + run.count), run.queued_ns,
              false});
  return true;
}

/// A backend that is briefly slower than the source need not read back what was written a moment ago. An observer does:
/// a filter may have picked one event of a whole pull for it, and all of that would stay in memory.
void SpoolLane::keep_in_hand(Written&& written) {
  if (keeping_ || written.first + written.run.count <= feed_next_ || in_hand_.size() >= limits::kSpoolRunsInHand)
    return;
  in_hand_.push_back(std::move(written));
}

const SpoolLane::Written* SpoolLane::in_memory(std::uint64_t number) const {
  for (const std::deque<Written>* runs : {&in_hand_, &unsynced_}) {
    auto after = std::ranges::upper_bound(*runs, number, {}, &Written::first);
    if (after == runs->begin()) continue;
    --after;
    if (number - after->first < after->run.count) return &*after;
  }
  return nullptr;
}

/// What is next and in memory, as long as there is room. True when something went.
bool SpoolLane::feed_from_memory() {
  bool moved = false;
  for (const Written* next = in_memory(feed_next_); next != nullptr && hand_on(next->run, next->first);
       next = in_memory(feed_next_)) {
    moved = true;
  }
  while (!in_hand_.empty() && in_hand_.front().first + in_hand_.front().run.count <= feed_next_) in_hand_.pop_front();
  return moved;
}

/// True: there is more to do at once.
bool SpoolLane::feed(std::uint64_t now_ns) {
  for (int round = 0; round < 32; ++round) {
    if (!may_feed(now_ns) || !feed_some(now_ns)) return false;
  }
  return true;
}

bool SpoolLane::feed_some(std::uint64_t now_ns) {
  if (feed_again(now_ns)) return true;
  if (feed_from_memory()) return true;
  if (in_memory(feed_next_) != nullptr) {
    if (down_.credit.used().first > 0) return false;
    // A run that is larger than the backend's whole queue goes there in parts, from the disk.
  }
  return feed_next(now_ns);
}

/// What came back and is due, lowest number first.
bool SpoolLane::feed_again(std::uint64_t now_ns) {
  const auto is_due = [&](const auto& entry) { return entry.second.waiting && entry.second.due_ns <= now_ns; };
  auto next = std::ranges::find_if(again_, is_due);
  if (next == again_.end() || next->first >= log_.synced()) return false;
  const std::uint64_t events =
      std::min<std::uint64_t>(batch_events_, std::max<std::uint64_t>(down_.credit.max_events() / 2, 1));
  const std::uint64_t bytes = std::min(limits::kPullBytes, down_.credit.max_bytes() / 2);
  if (!down_.credit.try_take(events, bytes, this)) return false;
  BlockRef block = blocks_.take();
  SpoolRecord record;
  std::uint64_t oldest_ns = kNever;
  for (; next != again_.end() && numbers_.size() < events && block->bytes_used() < bytes; ++next) {
    if (!is_due(*next)) continue;
    if (next->first >= log_.synced()) break;
    const auto read = log_.read_open(next->first, record);
    if (read == SpoolLog::Read::failed) {
      disk_refused({SpoolFault::broken, store_.place() + ": a segment cannot be read"}, now_ns);
      break;
    }
    if (read == SpoolLog::Read::none || record.number != next->first) {  // damaged since, and counted
      next->second.due_ns = kNever;
      continue;
    }
    if (!add_record(record, *block)) continue;
    next->second.waiting = false;
    oldest_ns = std::min(oldest_ns, queued_ns_of(record.first_unix_ns));
  }
  push_records(std::move(block), oldest_ns, events, bytes);
  std::erase_if(again_, [](const auto& entry) { return entry.second.waiting && entry.second.due_ns == kNever; });
  return true;
}

/// The next records that the backend lane has not seen.
bool SpoolLane::feed_next(std::uint64_t now_ns) {
  if (feed_next_ >= log_.synced() || again_.size() >= limits::kSpoolAgain) return false;
  const std::uint64_t events =
      std::min<std::uint64_t>(batch_events_, std::max<std::uint64_t>(down_.credit.max_events() / 2, 1));
  const std::uint64_t bytes = std::min(limits::kPullBytes, down_.credit.max_bytes() / 2);
  if (!down_.credit.try_take(events, bytes, this)) return false;
  BlockRef block = blocks_.take();
  SpoolRecord record;
  std::uint64_t queued_ns = 0;
  while (numbers_.size() < events && block->bytes_used() < bytes) {
    const auto read = log_.read_open(feed_next_, record);
    if (read == SpoolLog::Read::failed) {
      disk_refused({SpoolFault::broken, store_.place() + ": a segment cannot be read"}, now_ns);
      break;
    }
    if (read == SpoolLog::Read::none) {
      feed_next_ = log_.synced();
      completed_some_ = true;  // damage may have completed records
      break;
    }
    const std::uint64_t queued = queued_ns_of(record.first_unix_ns);
    // max_age counts from here, one time for the whole run: it must not be far from anybody's own.
    if (!numbers_.empty() && retry_.max_age.count() > 0 && queued > queued_ns + kSecond) break;
    if (numbers_.empty()) queued_ns = queued;
    feed_next_ = record.number + 1;
    (void)add_record(record, *block);
  }
  push_records(std::move(block), queued_ns, events, bytes);
  return true;
}

/// Decodes a record into the block. One that is no event, which no checksum let through so far, is set aside as it is.
bool SpoolLane::add_record(const SpoolRecord& record, Block& block) {
  const std::string_view json = block.keep(record.json);
  sluice_record raw{};
  raw.ptr = reinterpret_cast<const std::uint8_t*>(json.data());
  raw.len = json.size();
  raw.flags = SLUICE_SINGLE | SLUICE_PADDED;
  const std::size_t before = block.events.size();
  if (const auto reject = decoder_.decode(raw, {name_, 0, 0, false}, block);
      reject || block.events.size() != before + 1) {
    block.events.resize(before);
    rejected_.push_back(
        {record.number, record.number + 1, 0, "cannot be read back: " + (reject ? reject->reason : "")});
    return false;
  }
  sluice_event& event = block.events.back();
  if ((record.flags & kSpoolSynthetic) != 0) event.flags |= SLUICE_SYNTHETIC;
  event.seq = record.number;
  set_type_id(event, types_.id_of(text_of(event, event.type)));
  numbers_.push_back(record.number);
  return true;
}

/// What was added goes to the backend lane; of the credit that was taken for it the rest goes back.
void SpoolLane::push_records(BlockRef block, std::uint64_t queued_ns, std::uint64_t events_taken,
                             std::uint64_t bytes_taken) {
  const auto count = static_cast<std::uint32_t>(numbers_.size());
  const std::uint64_t bytes = bytes_of(block->events);
  if (count < events_taken || bytes < bytes_taken) {
    down_.credit.give_back(events_taken - count, bytes_taken - std::min(bytes, bytes_taken));
  }
  if (bytes > bytes_taken) down_.credit.take_more(0, bytes - bytes_taken);
  if (count > 0) {
    auto* views = block->allocate_array<sluice_event>(count);
    std::copy_n(block->events.data(), count, views);
    const std::uint64_t first = numbers_.front();
    for (std::uint32_t i = 0; i < count; ++i) views[i].origin = static_cast<std::uint32_t>(numbers_[i] - first);
    down_.push({std::move(block), views, count, bytes, this, first, queued_ns, false});
  }
  numbers_.clear();
}

/// On the lanes' clock, which does not know what was before this machine's start.
std::uint64_t SpoolLane::queued_ns_of(std::int64_t first_unix_ns) const noexcept {
  const std::int64_t age = world_.clock.unix_ns() - first_unix_ns;
  const std::uint64_t now_ns = now();
  if (age <= 0) return now_ns;
  return now_ns > static_cast<std::uint64_t>(age) ? now_ns - static_cast<std::uint64_t>(age) : 1;
}

// ---- what became of it ----

void SpoolLane::complete(const Completion& completion, std::uint64_t now_ns) {
  const std::uint64_t from = completion.page + completion.origin;
  const std::uint64_t to = from + completion.count;
  if (completion.outcome == Outcome::retry) {
    for (std::uint64_t number = from; number < to; ++number) {
      Again& again = again_[number];
      again.waiting = true;
      again.due_ns = now_ns + as_ns(std::max(retry_delay(retry_, ++again.rounds, random_), limits::kAwayBackoffMin));
    }
    return;
  }
  if (!again_.empty()) again_.erase(again_.lower_bound(from), again_.lower_bound(to));
  if (completion.outcome == Outcome::rejected && !completion.moved) {
    rejected_.push_back({from, to, completion.code, completion.reason});
    return;
  }
  log_.complete(from, to);
  completed_some_ = true;
}

/// Nobody else has what the far side refused: it is kept as a dead letter in the spool's own file.
void SpoolLane::set_rejected_aside(std::uint64_t now_ns) {
  if (rejected_.empty() || now_ns < rejected_retry_ns_) return;
  std::string lines, reason;
  std::uint64_t count = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> done;
  while (!rejected_.empty() && lines.size() < limits::kPullBytes) {
    Rejected& first = rejected_.front();
    if (first.from >= log_.synced()) {  // not durable yet: it is read back from the disk
      rejected_.push_back(std::move(first));
      rejected_.pop_front();
      break;
    }
    if (!rejected_line(first.from, first, lines)) break;
    reason = first.reason;
    done.emplace_back(first.from, first.from + 1);
    ++count;
    if (++first.from == first.to) rejected_.pop_front();
  }
  if (done.empty()) return;
  if (!lines.empty()) {
    if (const SpoolAnswer answer = log_.add_rejected(lines); !answer.ok()) {
      for (const auto& [from, to] : done) rejected_.push_back({from, to, 0, reason});
      rejected_retry_ns_ = now_ns + as_ns(limits::kSpoolDiskRetry);
      disk_refused(answer, now_ns);
      return;
    }
  }
  for (const auto& [from, to] : done) log_.complete(from, to);
  completed_some_ = true;
  stats_.spool_rejected.add(count);
  if (keeping_) note_set_aside(now_ns);
  if (rejected_said_ns_ != 0 && now_ns < rejected_said_ns_ + kSecond) return;
  rejected_said_ns_ = now_ns;
  say(Level::warn, "Events were rejected and are kept beside the spool; 'sluice spool cat --rejected' shows them",
      {{"count", std::to_string(count), true}, {"last_reason", reason, false}, {"path", store_.place(), false}});
}

/// Another event may end the process in a moment: then this one must not come again.
void SpoolLane::note_set_aside(std::uint64_t now_ns) {
  if (!unsynced_.empty()) sync(now_ns);
  if (!unsynced_.empty()) return;
  if (const SpoolAnswer answer = log_.write_cursor(true); !answer.ok()) disk_refused(answer, now_ns);
}

/// False: the record cannot be read now.
bool SpoolLane::rejected_line(std::uint64_t number, const Rejected& rejected, std::string& lines) {
  SpoolRecord record;
  const auto read = log_.read_open(number, record);
  if (read == SpoolLog::Read::failed) return false;
  if (read == SpoolLog::Read::none || record.number != number) return true;  // damaged, and counted
  const BlockRef block = blocks_.take();
  const std::string_view json = block->keep(record.json);
  sluice_record raw{};
  raw.ptr = reinterpret_cast<const std::uint8_t*>(json.data());
  raw.len = json.size();
  raw.flags = SLUICE_SINGLE | SLUICE_PADDED;
  if (decoder_.decode(raw, {name_, 0, 0, false}, *block) || block->events.size() != 1) {
    lines.append(json).append("\n");
    return true;
  }
  const std::int64_t unix_ns = world_.clock.unix_ns();
  const sluice_event letter = as_dead_letter(block->events.front(),
                                             {.node = name_,
                                              .reason = rejected.reason,
                                              .code = rejected.code,
                                              .attempts = 1,
                                              .first_unix_ns = record.first_unix_ns,
                                              .last_unix_ns = unix_ns},
                                             writer_, *block);
  lines.append(letter.text + letter.json.at, letter.json.len).append("\n");
  return true;
}

}  // namespace sluice
