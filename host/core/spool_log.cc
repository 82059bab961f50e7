// Appending, completing, forgetting. Taking over what is there and reading it back: spool_read.cc.
#include "core/spool_log.hh"

#include <algorithm>
#include <utility>

namespace sluice {

bool SpoolLog::is_full(std::uint64_t bytes) const noexcept {
  if (open_records() == 0 && added_.empty()) return false;
  return bytes_ + added_.size() + bytes > bounds_.max_bytes;
}

std::uint64_t SpoolLog::open_records() const noexcept {
  // What was taken back by a failed sync may have been completed already.
  return next_ >= cursor_.end() ? cursor_.open_below(next_) : cursor_.open_in(cursor_.low(), next_);
}

// ---- appending ----

void SpoolLog::add(std::int64_t unix_ns, std::uint32_t flags, std::string_view json) {
  const std::uint64_t number = next_ + added_marks_.size();
  added_marks_.push_back({number, added_.size(), unix_ns});
  append_record(added_, {number, unix_ns, flags, json, 0});
}

bool SpoolLog::wants_new_segment() const noexcept {
  return segments_.empty() || !segments_.back().newest || segments_.back().bytes >= bounds_.segment_bytes;
}

SpoolAnswer SpoolLog::begin_segment() {
  if (!segments_.empty() && segments_.back().first == next_) {  // begun before, and nothing came of it
    segments_.back().newest = true;
    return {};
  }
  // Numbers that a crash took away are completed in the cursor only: an older cursor beside this segment would miss
  // them.
  SpoolAnswer answer = write_cursor(true);
  if (answer.ok()) answer = store_.create(next_);
  if (!answer.ok()) return answer;
  if (!segments_.empty()) segments_.back().newest = false;
  segments_.push_back({next_, next_, 0, 0, true, false, {}});
  synced_bytes_ = 0;
  return {};
}

SpoolAnswer SpoolLog::write(std::int64_t unix_ns) {
  if (added_marks_.empty()) return {};
  SpoolAnswer answer;
  if (cut_pending_) answer = take_back(next_, segments_.back().bytes);
  // A segment that is not durable yet stays the newest: sync() means one segment.
  if (answer.ok() && wants_new_segment() && synced_ == next_) answer = begin_segment();
  if (!answer.ok()) {
    forget_added();
    return answer;
  }
  Segment& segment = segments_.back();
  if (segment.bytes == 0) {
    std::string header;
    append_segment_header(header, segment.first, unix_ns);
    added_.insert(0, header);
    for (Added& added : added_marks_) added.offset += header.size();
  }
  answer = store_.append(added_);
  if (!answer.ok()) {
    (void)take_back(next_, segment.bytes);
    forget_added();
    return answer;
  }
  for (const Added& added : added_marks_) mark(segment, added.number, segment.bytes + added.offset, added.unix_ns);
  segment.bytes += added_.size();
  bytes_ += added_.size();
  next_ += added_marks_.size();
  segment.end = next_;
  forget_added();
  return {};
}

void SpoolLog::forget_added() {
  added_.clear();
  added_marks_.clear();
}

SpoolAnswer SpoolLog::sync() {
  if (synced_ == next_) return {};
  SpoolAnswer answer = store_.sync();
  if (answer.ok()) {
    synced_ = next_;
    synced_bytes_ = segments_.back().bytes;
    return answer;
  }
  // After a failed flush nobody knows what of it is on the disk, and asking again may lie: it is written anew.
  (void)take_back(synced_, synced_bytes_);
  return answer;
}

/// The newest segment ends at `bytes` again, and `number` is the next record's.
SpoolAnswer SpoolLog::take_back(std::uint64_t number, std::uint64_t bytes) {
  Segment& segment = segments_.back();
  bytes_ -= segment.bytes - bytes;
  segment.bytes = bytes;
  next_ = segment.end = number;
  std::erase_if(segment.marks, [&](const Mark& m) { return m.number >= number; });
  SpoolAnswer answer = store_.cut(segment.first, bytes, false);
  cut_pending_ = !answer.ok();
  return answer;
}

void SpoolLog::mark(Segment& segment, std::uint64_t number, std::uint64_t offset, std::int64_t unix_ns) {
  constexpr std::uint64_t kMarkBytes = 64 * 1024;
  if (!segment.marks.empty() && offset < segment.marks.back().offset + kMarkBytes) return;
  segment.marks.push_back({number, offset, unix_ns});
}

// ---- completing ----

SpoolAnswer SpoolLog::write_cursor(bool durable) {
  if (!cursor_changed_ && (!durable || cursor_durable_)) return {};
  SpoolAnswer answer = store_.write_cursor(cursor_.encode(), durable);
  if (!answer.ok()) return answer;
  cursor_changed_ = false;
  cursor_durable_ = durable;
  return answer;
}

SpoolAnswer SpoolLog::tidy(bool last) {
  for (std::size_t i = 0; i < segments_.size();) {
    const Segment& segment = segments_[i];
    const bool writing =
        segment.newest && (!last || synced_ != next_) && (segment.bytes < bounds_.segment_bytes || synced_ != next_);
    if (writing || !cursor_.are_completed(segment.first, segment.end)) {
      ++i;
      continue;
    }
    SpoolAnswer answer = write_cursor(true);  // or a restart would miss what is removed here
    if (answer.ok()) answer = segment.damaged ? store_.set_aside(segment.first) : store_.remove(segment.first);
    if (!answer.ok()) return answer;
    bytes_ -= segment.bytes;
    if (reader_ != nullptr && reader_segment_ == segment.first) reader_.reset();
    if (segment.newest) cut_pending_ = false;
    segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return {};
}

SpoolAnswer SpoolLog::add_rejected(std::string_view line) {
  SpoolAnswer answer = store_.add_rejected(line);
  if (answer.ok()) bytes_ += line.size();
  return answer;
}

std::int64_t SpoolLog::oldest_unix_ns() const noexcept {
  const std::uint64_t low = cursor_.low();
  if (low >= next_) return 0;
  for (const Segment& segment : segments_) {
    if (low < segment.first || low >= segment.end || segment.marks.empty()) continue;
    const auto behind = std::ranges::upper_bound(segment.marks, low, {}, &Mark::number);
    return behind == segment.marks.begin() ? segment.marks.front().unix_ns : std::prev(behind)->unix_ns;
  }
  return 0;
}

std::vector<SpoolDamage> SpoolLog::take_damage() { return std::exchange(damage_, {}); }

}  // namespace sluice
