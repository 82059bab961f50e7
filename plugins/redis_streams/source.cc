#include "source.hh"

#include "answer.hh"
#include "endpoint.hh"

#include <algorithm>
#include <charconv>

#include <poll.h>

namespace redis_streams {
namespace {

using namespace std::chrono_literals;
using sluice::Away;
using std::chrono::milliseconds;

constexpr std::uint32_t kFirstAsk = 16;                                    // entries, while their size is not known
constexpr std::uint64_t kConnectPauseMin = 100, kConnectPauseMax = 5'000;  // ms
constexpr milliseconds kFloodWaitMax = 5ms;                                // see flood_bytes_
constexpr milliseconds kReconnectTimeoutMax = 2s;                          // inside poll()

bool is_missing(const Reply& reply) {
  return reply.kind == Reply::Kind::error && reply.text.starts_with("ERR no such key");
}

std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

Source::Source(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      options_(read_source_options(config, host.node())),
      cells_{
          .lag = host.cell(SLUICE_GAUGE, "source_lag_events", "Entries that the group has not read yet."),
          .pending = host.cell(SLUICE_GAUGE, "source_pending_events", "Entries read by the group, not acknowledged."),
          .stream_exists = host.cell(SLUICE_GAUGE, "source_stream_exists", "1 when the stream is there."),
          .group_exists = host.cell(SLUICE_GAUGE, "source_group_exists", "1 when the consumer group is there."),
          .left_alone = host.cell(SLUICE_GAUGE, "redis_left_alone_events",
                                  "Pending entries that were delivered max_deliveries times and are left alone."),
          .claimed = host.cell(SLUICE_COUNTER, "redis_claimed_total", "Entries taken over from other consumers."),
          .redelivered = host.cell(SLUICE_COUNTER, "redis_redelivered_total", "Own entries handed over again."),
          .trimmed =
              host.cell(SLUICE_COUNTER, "redis_trimmed_total",
                        "Entries that were deleted from the stream after they were read, before they were settled."),
          .trimmed_unread = host.cell(SLUICE_COUNTER, "redis_trimmed_unread_total",
                                      "Entries that were deleted from the stream before the group read them: lost."),
          .too_old = host.cell(SLUICE_COUNTER, "redis_backlog_too_old_total",
                               "Backlog entries acknowledged unread because of backlog_max_age_hours."),
          .strange = host.cell(SLUICE_COUNTER, "redis_without_event_total", "Entries without the event's field."),
          .groups_made = host.cell(SLUICE_COUNTER, "redis_groups_made_total", "Times the group was made.")},
      read_front_(words({"XREADGROUP", "GROUP", options_.group, options_.consumer, "COUNT"})),
      read_back_((options_.stop_at_end
                      ? std::string()
                      : words({"BLOCK", number(static_cast<std::uint64_t>(options_.poll_interval.count()))})) +
                 words({"STREAMS", options_.stream, ">"})),
      read_words_(options_.stop_at_end ? 9 : 11),
      position_front_(options_.stream + "/"),
      answer_(options_.field),
      ask_max_(kFirstAsk),
      acks_(options_.stream, options_.group) {}

Source::~Source() { finish_acks(); }

// ---- connecting ----

void Source::start(milliseconds timeout) {
  if (!connected()) connect(std::min(timeout, options_.timeout));
}

void Source::connect(milliseconds timeout) {
  auto duty = connect_to(options_.endpoint, timeout);
  auto reader = connect_to(options_.endpoint, timeout);
  version_ = server_version(duty->ask({"INFO", "server"}));
  // Entry ids carry the server's clock, so an entry's age is judged by it and not by ours.
  const std::string seconds = duty->ask({"TIME"});
  std::int64_t server_s = 0;
  std::from_chars(seconds.data(), seconds.data() + seconds.size(), server_s);
  server_ahead_ms_ = server_s * 1000 - static_cast<std::int64_t>(now_ms());
  prepare_group(*duty);
  duty->go_on_with_replies();
  reader->go_on_without_blocking(answer_);
  duty_ = std::move(duty);
  if (!stopped_) reader_ = std::move(reader);
  recovered_ = false;
  own_scan_ms_ = others_scan_ms_ = facts_ms_ = duty_progress_ms_ = now_ms();
  keep_ms_ = now_ms() + static_cast<std::uint64_t>(options_.claim_idle.count()) / 3;
  if (host_.logs(SLUICE_LOG_INFO)) {
    host_.log(SLUICE_LOG_INFO, "event_consumer_initialized: stream=" + options_.stream + ", group=" + options_.group +
                                   ", consumer=" + options_.consumer + ", server=" + options_.endpoint.shown());
  }
}

void Source::prepare_group(Connection& connection) {
  const Reply stream = connection.request({"XINFO", "STREAM", options_.stream});
  if (stream.kind == Reply::Kind::error && !is_missing(stream)) {
    throw Away(options_.endpoint.shown() + ": " + meaning_of(stream.text, options_.stream).reason);
  }
  const Reply groups = is_missing(stream) ? Reply{} : connection.request({"XINFO", "GROUPS", options_.stream});
  const GroupFacts facts = group_facts(stream, groups, options_.group);
  const bool first_time = !knows_group_;
  if (!facts.group_exists) make_group(connection, facts);
  if (first_time && options_.process_backlog) {
    const bool from_start = !facts.group_exists || facts.behind_the_trim();
    const std::uint64_t waiting = from_start ? facts.length : facts.lag.value_or(0);
    if (waiting > 0) begin_backlog(waiting, facts.last_generated);
  }
  knows_group_ = true;
  last_read_ = std::max(last_read_, facts.last_delivered);
}

/// A group that was there before and is gone begins where it was left, or at the start of a stream that was made anew.
void Source::make_group(Connection& connection, const GroupFacts& facts) {
  std::string from = options_.process_backlog ? "0" : "$";
  if (knows_group_) {
    const bool new_stream = !facts.stream_exists || facts.last_generated < last_read_;
    from = new_stream ? "0" : last_read_.text();
    if (new_stream) last_read_ = {};
    host_.log(SLUICE_LOG_WARN,
              "the group '" + options_.group + "' is gone (was the stream deleted?): made again, from " + from);
  }
  const Reply made = connection.request({"XGROUP", "CREATE", options_.stream, options_.group, from, "MKSTREAM"});
  if (made.kind == Reply::Kind::error && !made.text.starts_with("BUSYGROUP")) {
    throw Away(options_.endpoint.shown() + ": " + meaning_of(made.text, options_.stream).reason);
  }
  sluice::add(cells_.groups_made);
  lost_known_ = true;
  lost_unread_ = 0;
}

void Source::begin_backlog(std::uint64_t count, StreamId end) {
  backlog_ = {.active = true};
  answer_.backlog_end = end;
  host_.log(SLUICE_LOG_INFO, "backlog_processing_started: count=" + number(count));
}

void Source::reconnect_when_due() {
  if (now_ms() < next_connect_ms_) return;
  try {
    connect(std::min(options_.timeout, kReconnectTimeoutMax));
  } catch (const Away& away) {
    away_reason_ = away.what();
    connect_pause_ms_ = std::clamp(connect_pause_ms_ * 2, kConnectPauseMin, kConnectPauseMax);
    next_connect_ms_ = now_ms() + connect_pause_ms_;
  }
}

/// Nothing is lost with it: what was read and not settled is pending, and acknowledgements are sent again.
void Source::lost(const std::string& why) {
  away_reason_ = options_.endpoint.shown() + ": " + why;
  host_.log(SLUICE_LOG_WARN, "connection lost: " + away_reason_);
  reader_.reset();
  duty_.reset();
  acks_.send_again();
  asked_.clear();
  scan_ = {};
  answer_.reset();
  answer_entries_ = answer_bytes_ = 0;
  flood_bytes_ = 0;
  reading_ = false;
  reserved_ = 0;
  next_connect_ms_ = now_ms() + connect_pause_ms_;  // at once, when it had worked
  connect_pause_ms_ = std::clamp(connect_pause_ms_ * 2, kConnectPauseMin, kConnectPauseMax);
}

// ---- the lane's wait ----

sluice_status Source::poll(int wake_fd, milliseconds timeout, std::uint32_t room) {
  bool gathers = false;
  pollfd waiting[3] = {{wake_fd, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};
  if (!connected()) reconnect_when_due();
  if (connected()) {
    look_after_duties();
    if (connected()) ask_for_entries();
    if (connected()) send();
    if (connected() && overdue())
      lost("no answer for " + number(static_cast<std::uint64_t>(options_.timeout.count())) + " ms");
  }
  if (connected()) {
    const bool full = answer_.buffer.size() >= kBufferedMax;
    if (reader_ != nullptr) {
      gathers = flood_bytes_ > 0 && room > 0 && !full;
      if (gathers && reading_) timeout = std::min(timeout, kFloodWaitMax);
      if (room > 0 && !full) reader_->wake_at(gathers ? flood_bytes_ : 1);
      waiting[1].fd = reader_->fd();
      waiting[1].events = static_cast<short>((room > 0 && !full ? POLLIN : 0) | (reader_->wants_write() ? POLLOUT : 0));
    }
    waiting[2].fd = duty_->fd();
    if (duty_->wants_write()) waiting[2].events |= POLLOUT;
    timeout = std::min(timeout, until_next_duty());
  } else {
    const std::uint64_t now = now_ms();
    timeout = std::min(timeout, milliseconds(next_connect_ms_ > now ? next_connect_ms_ - now : 0));
  }
  if (room > 0 && !answer_.buffer.empty()) timeout = 0ms;
  const int ready = ::poll(waiting, 3, static_cast<int>(std::max<std::int64_t>(0, timeout.count())));
  if (ready == 0 && gathers && timeout.count() > 0) waiting[1].revents = POLLIN;  // fewer came than were waited for
  if (ready < 0 || (ready == 0 && waiting[1].revents == 0)) return SLUICE_OK;
  if (waiting[2].revents != 0 && connected()) read_duties();
  if (waiting[1].revents != 0 && reader_ != nullptr) {
    if ((waiting[1].revents & POLLOUT) != 0 && !reader_->write()) lost(reader_->error());
    if (reader_ != nullptr && (waiting[1].revents & ~POLLOUT) != 0) read_entries();
  }
  if (connected()) {
    ask_for_entries();
    if (connected()) send();
  }
  return SLUICE_OK;
}

// ---- life cycle ----

void Source::probe(milliseconds timeout) {
  connect_to(options_.endpoint, std::min(timeout, options_.timeout))->ask({"PING"});
}

void Source::stop(milliseconds) {
  if (stopped_) return;
  stopped_ = true;
  reader_.reset();  // what a held read still brings is pending, as is what was not handed over
  reading_ = false;
  reserved_ = 0;
  if (!answer_.buffer.empty()) {
    host_.log(SLUICE_LOG_INFO,
              number(answer_.buffer.size()) + " entries were read and not handed over: they stay pending in the group");
    answer_.buffer.clear();
  }
  answer_.reset();
}

}  // namespace redis_streams
