// Taking over what an earlier run left, and reading records back.
#include "core/spool_log.hh"

#include <algorithm>
#include <utility>

namespace sluice {

SegmentReader::ReadAt SpoolLog::reader_of(std::uint64_t first) {
  return [this, first](std::uint64_t offset, char* into, std::size_t size) {
    return store_.read(first, offset, into, size);
  };
}

// ---- taking over ----

SpoolAnswer SpoolLog::open() {
  SpoolListing listing;
  SpoolAnswer answer = store_.open(listing);
  if (!answer.ok()) return answer;
  return recover(listing);
}

SpoolAnswer SpoolLog::recover(const SpoolListing& listing) {
  bytes_ = listing.rejected_bytes;
  for (const SpoolFileFacts& file : listing.segments) {
    segments_.push_back({file.first, file.first, file.bytes, 0, false, false, {}});
    bytes_ += file.bytes;
  }
  std::ranges::sort(segments_, {}, &Segment::first);
  if (!SpoolCursor::decode(listing.cursor, cursor_)) {
    // Without it everything that is still here comes again.
    cursor_ = SpoolCursor(segments_.empty() ? 1 : segments_.front().first);
    if (!listing.cursor.empty()) damage_.push_back({0, 0, listing.cursor.size(), false, 0});
  }
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const bool is_last = i + 1 == segments_.size();
    if (!is_last) segments_[i].end = segments_[i + 1].first;
    if (SpoolAnswer answer = check_header(segments_[i]); !answer.ok()) return answer;
    if (!is_last) continue;
    if (SpoolAnswer answer = scan_last(segments_[i]); !answer.ok()) return answer;
  }
  // Numbers are never used again: what a crash took away must not be counted as completed under a new record's number.
  next_ = std::max(cursor_.end(), segments_.empty() ? 1 : segments_.back().end);
  synced_ = next_;
  // Numbers between the last record and there were given to events that nobody was told of, and are gone.
  if (!segments_.empty()) complete(segments_.back().end, next_);
  return tidy(true);
}

SpoolAnswer SpoolLog::check_header(Segment& segment) {
  char bytes[kSegmentHeaderBytes];
  const std::int64_t got = store_.read(segment.first, 0, bytes, sizeof bytes);
  SegmentHeader header;
  if (got < 0) return {SpoolFault::broken, store_.place() + "/" + segment_name(segment.first) + ": cannot be read"};
  if (!read_segment_header({bytes, static_cast<std::size_t>(got)}, header)) {
    if (segment.bytes >= kSegmentHeaderBytes) note_damage(segment, 0, kSegmentHeaderBytes);
    return {};
  }
  if (header.version == kSpoolVersion) return {};
  return {SpoolFault::broken, store_.place() + "/" + segment_name(segment.first) + ": is of version " +
                                  std::to_string(header.version) + " of the spool's format, this program reads " +
                                  std::to_string(kSpoolVersion) + ": drain it with the program that wrote it"};
}

/// Finds the end of the newest segment. What a crash left of its last write is cut off and put aside.
SpoolAnswer SpoolLog::scan_last(Segment& segment) {
  SegmentReader reader(reader_of(segment.first), kSegmentHeaderBytes, segment.bytes, segment.first);
  SpoolRecord record;
  std::uint64_t whole = std::min<std::uint64_t>(kSegmentHeaderBytes, segment.bytes);
  for (;;) {
    switch (reader.next(record)) {
      case SegmentReader::Found::record:
        mark(segment, record.number, record.offset, record.first_unix_ns);
        segment.end = record.number + 1;
        whole = reader.offset();
        continue;
      case SegmentReader::Found::damage:
        if (reader.damage_to() < segment.bytes) note_damage(segment, reader.damage_from(), reader.damage_to());
        continue;
      case SegmentReader::Found::failed:
        return {SpoolFault::broken, store_.place() + "/" + segment_name(segment.first) + ": cannot be read"};
      case SegmentReader::Found::end:
        break;
    }
    break;
  }
  const bool headless = segment.bytes > 0 && segment.bytes < kSegmentHeaderBytes;
  if (headless) whole = 0;
  if (whole == segment.bytes) return {};
  damage_.push_back({segment.first, whole, segment.bytes, true, 0});
  SpoolAnswer answer = store_.cut(segment.first, whole, true);
  if (!answer.ok()) return answer;
  bytes_ -= segment.bytes - whole;
  segment.bytes = whole;
  return {};
}

void SpoolLog::note_damage(Segment& segment, std::uint64_t from, std::uint64_t to) {
  if (from < segment.noted_to) return;  // seen before
  segment.noted_to = std::max(to, from + 1);
  segment.damaged = true;
  damage_.push_back({segment.first, from, to, false, 0});
}

/// Records that should be there and are not: nothing waits for them any longer.
void SpoolLog::lose(Segment* segment, std::uint64_t from, std::uint64_t to) {
  const std::uint64_t lost = cursor_.open_in(from, to);
  complete(from, to);
  if (lost == 0) return;
  if (segment != nullptr) segment->damaged = true;
  const std::uint64_t first = segment == nullptr ? from : segment->first;
  if (damage_.empty() || damage_.back().segment != first) damage_.push_back({first, 0, 0, false, 0});
  damage_.back().records_lost += lost;
}

// ---- reading back ----

SpoolLog::Segment* SpoolLog::segment_of(std::uint64_t number) {
  const auto behind = std::ranges::upper_bound(segments_, number, {}, &Segment::first);
  if (behind == segments_.begin()) return nullptr;
  Segment& segment = *std::prev(behind);
  return number < segment.end ? &segment : nullptr;
}

void SpoolLog::place_reader(const Segment& segment, std::uint64_t number) {
  const auto behind = std::ranges::upper_bound(segment.marks, number, {}, &Mark::number);
  const Mark from = behind == segment.marks.begin() ? Mark{segment.first, kSegmentHeaderBytes, 0} : *std::prev(behind);
  const std::uint64_t end = segment.newest ? synced_bytes_ : segment.bytes;
  if (reader_ != nullptr && reader_segment_ == segment.first && reader_next_ <= number && reader_next_ >= from.number) {
    reader_->set_end(end);
    return;
  }
  reader_ = std::make_unique<SegmentReader>(reader_of(segment.first), from.offset, end, from.number);
  reader_segment_ = segment.first;
  reader_next_ = from.number;
}

SpoolLog::Read SpoolLog::read_open(std::uint64_t from, SpoolRecord& out) {
  for (from = cursor_.next_open(from); from < synced_; from = cursor_.next_open(from)) {
    Segment* segment = segment_of(from);
    if (segment == nullptr) {  // a file that somebody took away
      const auto behind = std::ranges::upper_bound(segments_, from, {}, &Segment::first);
      lose(nullptr, from, behind == segments_.end() ? synced_ : behind->first);
      continue;
    }
    place_reader(*segment, from);
    const auto found = reader_->next(out);
    if (found == SegmentReader::Found::failed) return Read::failed;
    if (found == SegmentReader::Found::damage) {
      note_damage(*segment, reader_->damage_from(), reader_->damage_to());
      continue;
    }
    if (found == SegmentReader::Found::end || out.number >= segment->end) {
      lose(segment, from, std::min(segment->end, synced_));
      continue;
    }
    reader_next_ = out.number + 1;
    mark(*segment, out.number, out.offset, out.first_unix_ns);
    if (out.number > from) lose(segment, from, out.number);
    if (out.number >= from && !cursor_.is_completed(out.number)) return Read::record;
  }
  return Read::none;
}

}  // namespace sluice
