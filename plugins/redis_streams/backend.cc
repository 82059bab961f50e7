#include "backend.hh"

#include "answer.hh"
#include "endpoint.hh"

#include <algorithm>
#include <charconv>

#include <poll.h>

namespace redis_streams {
namespace {

using namespace std::chrono_literals;

// What may wait for the socket. The events' memory is the host's; this bounds the copy in the client library.
constexpr std::uint64_t kOutputBytesMax = 1024 * 1024;
// A full window is not refilled one by one: a quarter of it free is worth a round.
constexpr std::uint32_t kRefillShare = 2;
// Under a flood every wake-up costs the server more than the answer it tells of: let some answers gather. An answer is
// never shorter than 9 bytes ("$3\r\n0-1\r\n"), so half a window of them is always more than this.
constexpr std::uint32_t kWakeBytesPerPlace = 4;
constexpr std::uint32_t kFloodWindowMin = 64;
constexpr milliseconds kFloodWaitMax = 5ms;
constexpr milliseconds kTrimEveryMin = 1s;
constexpr milliseconds kTrimEveryMax = 60s;

}  // namespace

Backend::Backend(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      options_(read_backend_options(config)),
      add_(options_.stream, options_.field, options_.max_len),
      keys_(options_.endpoint, options_.key_prefix) {
  const std::string stream = config.text("stream_name");
  if (config.boolean("holds_dead_letters") && stream.find('{') == std::string::npos) {
    letters_.emplace(options_.endpoint, stream);
    letter_watch_.emplace(host, [this](milliseconds timeout) { return letters_->ask(timeout); });
  }
}

void Backend::start(milliseconds timeout) {
  if (letter_watch_) letter_watch_->start();
  if (connection_ == nullptr) connect(std::min(timeout, options_.timeout));
}

void Backend::connect(milliseconds timeout) {
  auto fresh = connect_to(options_.endpoint, timeout);
  if (options_.ttl.count() != 0) {
    // Entry ids carry the server's clock, so the age of an entry is judged by it and not by ours.
    const std::string seconds = fresh->ask({"TIME"});
    std::int64_t server_s = 0;
    std::from_chars(seconds.data(), seconds.data() + seconds.size(), server_s);
    server_ahead_ms_ = server_s * 1000 - static_cast<std::int64_t>(now_ms());
  }
  fresh->go_on_without_blocking();
  connection_ = std::move(fresh);
  trim_owed_ = false;
  partly_sent_ = false;
  output_bytes_ = 0;
  sent_up_to_ = next_;
  next_trim_ms_ = now_ms();
  if (host_.logs(SLUICE_LOG_INFO)) host_.log(SLUICE_LOG_INFO, "connected to " + options_.endpoint.shown());
}

std::uint32_t Backend::free_places() const noexcept {
  const auto free = static_cast<std::uint32_t>(options_.window - in_flight());
  return in_flight() != 0 && free < options_.window / kRefillShare ? 0 : free;
}

sluice_status Backend::publish(sluice::BatchView batch, std::uint32_t& taken) {
  if (connection_ == nullptr) connect(options_.timeout);  // throws Away: the host waits, and longer each time
  if (in_flight() == 0) {
    first_open_ = next_ = batch.ticket();
    if (!connection_->wants_write()) sent_up_to_ = next_;
    last_progress_ms_ = now_ms();
  }
  if (refuse_too_large(batch)) return taken = 1, SLUICE_OK;
  const std::uint32_t count = std::min(batch.size(), free_places());
  commands_.clear();
  while (taken < count && output_bytes_ + commands_.size() < kOutputBytesMax && !is_too_large(batch[taken].json())) {
    add_.append(commands_, batch[taken].json());
    ++taken;
  }
  if (taken == 0) return SLUICE_OK;
  next_ += taken;
  output_bytes_ += commands_.size();
  // From here on the events are taken: whatever happens to the connection is told by completing them.
  if (!connection_->append(commands_)) lost(connection_->error());
  return SLUICE_OK;
}

// The server would close the connection over it, without a word that arrives, each time it is offered: everything that
// is under way would go down with it. Answers come in order, so it is refused once nothing is before it.
bool Backend::refuse_too_large(sluice::BatchView batch) {
  if (in_flight() != 0 || batch.size() == 0 || !is_too_large(batch[0].json())) return false;
  host_.complete(batch.ticket(), 1, SLUICE_REJECTED,
                 "the event's " + std::to_string(batch[0].json().size()) +
                     " bytes are more than the server takes (max_event_bytes: " +
                     std::to_string(options_.event_bytes_max) + ", proto-max-bulk-len there)");
  first_open_ = next_ = batch.ticket() + 1;
  return true;
}

void Backend::flush() {
  if (connection_ != nullptr && connection_->wants_write()) exchange();
}

bool Backend::flooded() const noexcept {
  return options_.window >= kFloodWindowMin && in_flight() >= options_.window / 2;
}

bool Backend::exchange() {
  const std::uint64_t before = first_open_;
  if (connection_->wants_write()) {
    if (!connection_->write()) return lost(connection_->error()), true;
    partly_sent_ = connection_->wants_write();
    if (!partly_sent_) {
      sent_up_to_ = next_;
      output_bytes_ = 0;
    }
  }
  if (!connection_->read(*this)) return lost(connection_->error()), true;
  return first_open_ != before;
}

sluice_status Backend::poll(int wake_fd, milliseconds timeout, std::uint32_t) {
  pollfd waiting[2] = {{.fd = wake_fd, .events = POLLIN, .revents = 0}, {.fd = -1, .events = POLLIN, .revents = 0}};
  if (connection_ != nullptr) trim_when_due();
  if (connection_ != nullptr) {
    if (exchange()) return SLUICE_OK;
    if (answer_is_overdue()) {
      lost("no answer for " + std::to_string(options_.timeout.count()) + " ms");
      return SLUICE_OK;
    }
    waiting[1].fd = connection_->fd();
    if (connection_->wants_write()) waiting[1].events |= POLLOUT;
    timeout = std::min(timeout, until_next_duty());
    if (flooded()) timeout = std::min(timeout, kFloodWaitMax);
    connection_->wake_at(flooded() ? options_.window * kWakeBytesPerPlace : 1);
  }
  if (timeout.count() <= 0) return SLUICE_OK;
  if (::poll(waiting, 2, static_cast<int>(timeout.count())) > 0 && waiting[1].revents != 0) exchange();
  return SLUICE_OK;
}

// Answers.

void Backend::added(std::uint32_t count) {
  host_.complete(first_open_, count);
  first_open_ += count;
  last_progress_ms_ = now_ms();
}

void Backend::counted() {
  trim_owed_ = false;
  last_progress_ms_ = now_ms();
}

void Backend::refused(std::string_view error) {
  last_progress_ms_ = now_ms();
  if (trim_owed_ && first_open_ == trim_place_) {
    trim_owed_ = false;
    trims_by_age_ = false;
    host_.log(SLUICE_LOG_WARN, "old entries cannot be trimmed by age (ttl_seconds needs Redis 6.2 or newer): " +
                                   meaning_of(error, options_.stream).reason);
    return;
  }
  const Meaning meaning = meaning_of(error, options_.stream);
  host_.complete(first_open_, 1, meaning.status, meaning.reason);
  ++first_open_;
}

// What reached the socket may have reached the stream; what did not was never tried.
void Backend::lost(const std::string& why) {
  const std::string reason = options_.endpoint.shown() + ": " + why;
  const std::uint64_t perhaps_sent = partly_sent_ ? next_ : std::max(sent_up_to_, first_open_);
  if (perhaps_sent > first_open_) {
    host_.complete(first_open_, static_cast<std::uint32_t>(perhaps_sent - first_open_), SLUICE_TIMEOUT, reason);
  }
  if (next_ > perhaps_sent) {
    host_.complete(perhaps_sent, static_cast<std::uint32_t>(next_ - perhaps_sent), SLUICE_AWAY, reason);
  }
  host_.log(in_flight() == 0 ? SLUICE_LOG_INFO : SLUICE_LOG_WARN, "connection lost: " + reason);
  first_open_ = next_;
  connection_.reset();
}

// Duties that are not answers.

bool Backend::answer_is_overdue() const noexcept {
  return (in_flight() != 0 || trim_owed_) &&
         now_ms() >= last_progress_ms_ + static_cast<std::uint64_t>(options_.timeout.count());
}

milliseconds Backend::until_next_duty() const noexcept {
  const std::uint64_t now = now_ms();
  std::uint64_t due = now + 3'600'000;
  if (in_flight() != 0 || trim_owed_) {
    due = last_progress_ms_ + static_cast<std::uint64_t>(options_.timeout.count());
  }
  if (options_.ttl.count() != 0 && trims_by_age_ && !trim_owed_) due = std::min(due, next_trim_ms_);
  return milliseconds(due <= now ? 0 : due - now);
}

void Backend::trim_when_due() {
  if (options_.ttl.count() == 0 || !trims_by_age_ || trim_owed_ || now_ms() < next_trim_ms_) return;
  const milliseconds ttl = options_.ttl;
  next_trim_ms_ = now_ms() + static_cast<std::uint64_t>(std::clamp(ttl / 10, kTrimEveryMin, kTrimEveryMax).count());
  const std::int64_t oldest_ms = static_cast<std::int64_t>(now_ms()) + server_ahead_ms_ - ttl.count();
  if (oldest_ms <= 0) return;
  const std::string trim = command({"XTRIM", options_.stream, "MINID", "~", std::to_string(oldest_ms)});
  if (in_flight() == 0) last_progress_ms_ = now_ms();
  trim_owed_ = true;
  trim_place_ = next_;
  output_bytes_ += trim.size();
  if (!connection_->append(trim)) lost(connection_->error());
}

// Life cycle.

void Backend::probe(milliseconds timeout) {
  connect_to(options_.endpoint, std::min(timeout, options_.timeout))->ask({"PING"});
}

void Backend::stop(milliseconds) {
  if (letter_watch_) letter_watch_->stop();
  if (in_flight() != 0) {
    host_.complete(first_open_, static_cast<std::uint32_t>(in_flight()), SLUICE_CANCELLED,
                   "the host stopped before the answer came");
  }
  first_open_ = next_;
  connection_.reset();
}

// A store of keys, for the host's deduplication.

void Backend::lookup(std::span<const sluice_str> keys, std::uint8_t* present, milliseconds timeout) {
  keys_.lookup(keys, present, std::min(timeout, options_.timeout));
}

void Backend::record(std::span<const sluice_str> keys, milliseconds ttl, milliseconds timeout) {
  keys_.record(keys, ttl, std::min(timeout, options_.timeout));
}

void Backend::claim(std::span<const sluice_str> keys, std::span<const sluice_str> owners, std::uint8_t* taken,
                    milliseconds ttl, milliseconds timeout) {
  keys_.claim(keys, owners, taken, ttl, std::min(timeout, options_.timeout));
}

void Backend::release(std::span<const sluice_str> keys, std::span<const sluice_str> owners, milliseconds timeout) {
  keys_.release(keys, owners, std::min(timeout, options_.timeout));
}

}  // namespace redis_streams
