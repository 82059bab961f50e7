// Reading: asking for entries one answer ahead, taking answers in, handing entries to the host, hearing of them again.
#include "answer.hh"
#include "source.hh"

#include <sluice/cpp/writer_view.hh>

#include <algorithm>

namespace redis_streams {
namespace {

using sluice::Away;

constexpr std::size_t kAnswerBytesMax = 4 * 1024 * 1024;  // that one answer may be about as large as
constexpr std::size_t kBufferedMin = 256;                 // entries that are worth a pull
constexpr std::uint64_t kBatchesTold = 20;  // of the backlog, one by one; then what came within a second together
// While every answer is full, waking for its first bytes makes small batches of it: let some gather first.
constexpr std::size_t kFloodBytesMin = 16 * 1024, kFloodBytesMax = 64 * 1024;

std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

std::uint32_t Source::places() const noexcept {
  const std::size_t taken = flights_.size() + answer_.buffer.size() + reserved_ + scan_.wanted.size();
  return taken >= options_.in_flight_max ? 0 : options_.in_flight_max - static_cast<std::uint32_t>(taken);
}

/// One answer ahead of the host, so that the server works while events are on their way through the graph.
void Source::ask_for_entries() {
  if (reader_ == nullptr || reading_ || stopped_ || ended_ || !recovered_) return;
  std::uint32_t count = std::min(backlog_.active ? options_.backlog_batch_size : options_.batch_size, ask_max_);
  if (largest_bytes_ > 0) {
    count = std::min(count, static_cast<std::uint32_t>(std::max<std::size_t>(1, kAnswerBytesMax / largest_bytes_)));
  }
  if (answer_.buffer.size() > kBufferedMin || answer_.buffer.bytes() > kAnswerBytesMax) return;
  if (places() < std::min(count, options_.in_flight_max / 4)) return;  // not one by one
  count = std::min(count, places());
  if (count == 0) return;
  answer_.buffer.compact();
  std::string command = list_head(read_words_) + read_front_;
  append_word(command, number(count));
  command += read_back_;
  if (!reader_->append(command) || !reader_->write()) return lost(reader_->error());
  reading_ = true;
  reserved_ = asked_for_ = count;
  read_sent_ms_ = now_ms();
}

void Source::read_entries() {
  bool more = true;
  while (more && reader_ != nullptr && answer_.buffer.size() < kBufferedMax) {
    if (!reader_->read_tokens(more)) return lost(reader_->error());
    take_answer();
  }
}

void Source::take_answer() {
  const ReadAnswer::Seen seen = answer_.take();
  answer_entries_ += seen.entries;
  answer_bytes_ += seen.bytes;
  reserved_ -= std::min(reserved_, static_cast<std::uint32_t>(seen.entries));
  largest_bytes_ = std::max(seen.largest_bytes, largest_bytes_ - largest_bytes_ / 64);
  if (seen.entries > 0) last_read_ = std::max(last_read_, seen.last);
  if (seen.strange > 0) {
    sluice::add(cells_.strange, seen.strange);
    host_.log(SLUICE_LOG_WARN, number(seen.strange) + " entries without the field '" + options_.field +
                                   "', the last one " + seen.last_strange.text() + ": no events, rejected");
  }
  backlog_.read += seen.backlog;
  backlog_.open += seen.backlog;
  if (!seen.finished) return;
  reading_ = false;
  reserved_ = 0;
  if (!seen.error.empty()) return lost(meaning_of(seen.error, options_.stream).reason);
  connect_pause_ms_ = 0;
  ended_ = options_.stop_at_end && answer_entries_ == 0;
  if (answer_entries_ > 0) ask_max_ = std::min(ask_max_ * 4, options_.batch_size + options_.backlog_batch_size);
  if (backlog_.active) {
    if (backlog_.read > backlog_.read_before) ++backlog_.batches;
    backlog_.read_before = backlog_.read;
    if (backlog_.batches <= kBatchesTold || now_ms() >= backlog_.told_ms + 1000) tell_backlog();
    if (answer_entries_ == 0 || last_read_ >= answer_.backlog_end) backlog_.all_read = true;
    watch_backlog();
  }
  const bool flood = answer_entries_ == asked_for_ && answer_bytes_ / 2 >= kFloodBytesMin;
  flood_bytes_ =
      flood ? static_cast<std::uint32_t>(std::min(answer_bytes_ / 2, kFloodBytesMax) / kFloodBytesMin * kFloodBytesMin)
            : 0;
  answer_entries_ = answer_bytes_ = 0;
}

void Source::tell_backlog() {
  if (backlog_.read == backlog_.told) return;
  host_.log(SLUICE_LOG_INFO, "backlog_batch_processed: batch=" + number(backlog_.batches) +
                                 ", events=" + number(backlog_.read - backlog_.told));
  backlog_.told = backlog_.read;
  backlog_.told_ms = now_ms();
}

/// Over when the last of it is settled.
void Source::watch_backlog() {
  if (!backlog_.active || !backlog_.all_read || backlog_.open > 0) return;
  tell_backlog();
  host_.log(SLUICE_LOG_INFO, "backlog_processing_completed: total=" + number(backlog_.read) +
                                 (backlog_.too_old == 0 ? "" : ", too_old=" + number(backlog_.too_old)));
  backlog_ = {};
  answer_.backlog_end = {};
}

bool Source::too_old(const EntryBuffer::Entry& entry) const noexcept {
  if (!entry.backlog || options_.backlog_age_max.count() == 0) return false;
  const std::int64_t server_now = static_cast<std::int64_t>(now_ms()) + server_ahead_ms_;
  return static_cast<std::int64_t>(entry.id.ms) + options_.backlog_age_max.count() < server_now;
}

sluice_status Source::pull(sluice_writer& out) {
  if (stopped_) return SLUICE_AGAIN;
  EntryBuffer& buffer = answer_.buffer;
  if (buffer.empty() && ended_ && scan_.step == Scan::Step::none) return SLUICE_END;
  if (buffer.empty() && !connected()) throw Away(away_reason_);
  sluice::WriterView writer(out);
  positions_.clear();
  positions_.reserve(writer.room() * (position_front_.size() + 48));
  std::uint64_t old = 0;
  while (!buffer.empty()) {
    if (too_old(buffer.front())) {
      acks_.add(buffer.front().id);
      ++old;
      buffer.pop();
    } else if (!hand_over(out)) {
      break;
    }
  }
  if (old > 0) {
    backlog_.too_old += old;
    backlog_.open -= std::min(backlog_.open, old);
    sluice::add(cells_.too_old, old);
    host_.log(SLUICE_LOG_INFO, "backlog_events_too_old: acknowledged=" + number(old) + ", older than " +
                                   number(static_cast<std::uint64_t>(options_.backlog_age_max.count())) + " ms");
    watch_backlog();
  }
  ask_for_entries();
  return out.count > 0 ? SLUICE_OK : SLUICE_AGAIN;
}

/// False when the host has no more room.
bool Source::hand_over(sluice_writer& out) {
  const EntryBuffer::Entry entry = answer_.buffer.front();
  const std::string_view event = answer_.buffer.event(entry);
  if (out.count == out.cap) return false;
  const std::size_t position_at = positions_.size();
  positions_ += position_front_;
  append_id(positions_, entry.id);
  const std::string_view position = std::string_view(positions_).substr(position_at);
  const std::uint64_t tag = flights_.add(entry.id, entry.backlog);
  if (!sluice::WriterView(out).add(event, tag, position)) {
    if (out.count > 0) {
      (void)flights_.remove(tag);
      return false;
    }
    // Larger than all that the host gives room for: lent instead, so that the host can say that it is too large.
    auto* lent = new std::string(event);
    lent->append(SLUICE_PADDING, '\0');
    out.release = [](void* text) { delete static_cast<std::string*>(text); };
    out.release_arg = lent;
    sluice_record& record = *SLUICE_RECORD(&out, out.count++);
    record.ptr = reinterpret_cast<const std::uint8_t*>(lent->data());
    record.len = event.size();
    record.flags = SLUICE_PADDED;
    record.tag = tag;
    record.parent = SLUICE_NO_PARENT;
    record.position = sluice::str(position);
    answer_.buffer.pop();
    return false;
  }
  answer_.buffer.pop();
  return true;
}

void Source::settle(sluice::SettlementsView all) {
  bool any_undelivered = false;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const Flights::Flight flight = flights_.remove(all[i].tag);
    if (flight.backlog && backlog_.open > 0) --backlog_.open;
    if (all[i].outcome == SLUICE_NOT_DELIVERED)
      any_undelivered = true;
    else
      acks_.add(flight.id);
  }
  if (any_undelivered && options_.retry.count() > 0 && own_scan_ms_ == 0) {
    own_scan_ms_ = now_ms() + static_cast<std::uint64_t>(options_.retry.count());
  }
  watch_backlog();
}

}  // namespace redis_streams
