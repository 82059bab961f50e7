#include "backend.hh"

#include "headers.hh"
#include "jetstream.hh"
#include "subject.hh"

#include <poll.h>

#include <algorithm>
#include <bit>
#include <charconv>

namespace nats {
namespace {

using namespace std::chrono_literals;

// What may wait for the socket, as a copy inside the library. The events' own memory is the host's.
constexpr std::uint64_t kOutputBytesMax = 256 * 1024;
// A full window is not refilled one by one: a part of it free is worth a round.
constexpr std::uint32_t kRefillShare = 4;
// What the library adds around each header: ": ", the line's end, and once the version line.
constexpr std::uint64_t kHeaderLineBytes = 4, kHeaderFrameBytes = 12;

}  // namespace

Backend::Backend(sluice::HostView host, sluice::ConfigView config)
    : host_(host), options_(read_backend(config)), done_(std::bit_ceil(options_.window), 0) {
  if (options_.subject.is_fixed()) subject_ = options_.subject.fixed_text();
  duplicates_ = host_.cell(SLUICE_COUNTER, "nats_duplicates_total", "Events that the stream had already");
  if (config.boolean("holds_dead_letters") && options_.jetstream && !options_.stream.name.empty()) {
    letter_watch_.emplace(host, [this](milliseconds timeout) { return letters(timeout); });
  }
}

sluice::LetterFacts Backend::letters(milliseconds timeout) {
  try {
    if (desk_ == nullptr) desk_ = std::make_unique<Desk>(options_.address, timeout);
    const Desk::Held held = desk_->held_by(options_.stream.name);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    return {held.messages, static_cast<double>(now_ns - held.oldest_unix_ns) / 1e9};
  } catch (const std::exception&) {
    desk_.reset();  // a new connection is tried next time
    throw;
  }
}

void Backend::start(milliseconds timeout) {
  if (letter_watch_) letter_watch_->start();
  if (connection_ == nullptr) connect(std::min(timeout, options_.timeout));
}

void Backend::connect(milliseconds timeout) {
  if (options_.jetstream && !options_.stream.name.empty()) {
    const std::string note = ensure_stream(options_.address, options_.stream, timeout);
    if (!note.empty()) host_.log(SLUICE_LOG_INFO, note);
  }
  connection_ = std::make_unique<Connection>(options_.address, timeout, host_);
  reply_ = connection_->inbox() + ".";
  output_bytes_ = 0;
  stream_gone_ = false;
  host_.log(SLUICE_LOG_INFO, "connected to " + connection_->server());
}

std::uint32_t Backend::free_places() const noexcept {
  if (one_by_one_ > 0) return in_flight() == 0 ? 1 : 0;
  if (stream_gone_) return 0;
  const auto free = static_cast<std::uint32_t>(options_.window - in_flight());
  return in_flight() != 0 && free < options_.window / kRefillShare ? 0 : free;
}

sluice_status Backend::publish(sluice::BatchView batch, std::uint32_t& taken) {
  if (connection_ != nullptr && connection_->lost()) lost(connection_->error());
  if (stream_gone_ && in_flight() == 0) connection_.reset();
  if (connection_ == nullptr) connect(options_.timeout);  // throws Away: the host waits, and longer each time
  if (in_flight() == 0) {
    next_ = batch.ticket();
    forget_open();
    last_progress_ms_ = now_ms();
  }
  const std::uint32_t count = std::min(batch.size(), free_places());
  while (taken < count && output_bytes_ < kOutputBytesMax && connection_ != nullptr) {
    done_[place(next_)] = 0;
    if (one_by_one_ > 0) --one_by_one_;
    ++next_;
    send(batch[taken], batch.ticket() + taken);
    ++taken;
  }
  deliver_run();
  return SLUICE_OK;
}

std::string_view Backend::payload_of(const sluice::EventView& event) const {
  return options_.binary ? event.data() : event.json();
}

bool Backend::find_subject(const sluice::EventView& event, std::string& why) {
  if (options_.subject.is_fixed()) return true;
  filled_.clear();
  if (!options_.subject.append(event, filled_)) return why = options_.subject.missing(event), false;
  subject_.clear();
  append_token_text(filled_, subject_);
  if (!is_publishable(subject_)) why = "the event gives the subject '" + subject_ + "', which has an empty token";
  return why.empty();
}

void Backend::make_headers(const sluice::EventView& event) {
  headers_.clear();
  if (options_.binary) append_attributes(event, headers_);
  if (!options_.binary && options_.content_type_header) {
    headers_.emplace_back("Content-Type", "application/cloudevents+json");
  }
  if (!options_.jetstream) return;
  message_id_.clear();
  // An event that lacks what the id is made of goes without one: it is not dropped as a duplicate of another.
  if (options_.message_id.append(event, message_id_) && !message_id_.empty()) {
    headers_.emplace_back("Nats-Msg-Id", message_id_);
  }
}

void Backend::send(const sluice::EventView& event, std::uint64_t ticket) {
  std::string why;
  if (!find_subject(event, why)) {
    host_.complete(ticket, 1, SLUICE_REJECTED, why);
    return mark_done(ticket);
  }
  make_headers(event);
  const std::string_view payload = payload_of(event);
  std::uint64_t bytes = payload.size() + (headers_.empty() ? 0 : kHeaderFrameBytes);
  for (const auto& [name, value] : headers_) bytes += name.size() + value.size() + kHeaderLineBytes;
  if (bytes > connection_->max_payload()) {
    host_.complete(ticket, 1, SLUICE_REJECTED,
                   "the message has " + std::to_string(bytes) + " bytes, and the server takes " +
                       std::to_string(connection_->max_payload()) + ": raise max_payload in its configuration");
    return mark_done(ticket);
  }
  const char* reply = nullptr;
  if (options_.jetstream) {
    char digits[24];
    const char* const end = std::to_chars(digits, digits + sizeof digits, ticket).ptr;
    reply_.resize(connection_->inbox().size() + 1);
    reply_.append(digits, static_cast<std::size_t>(end - digits));
    reply = reply_.c_str();
  }
  output_bytes_ += bytes;
  if (!connection_->publish(subject_.c_str(), reply, headers_, payload)) lost(connection_->error());
}

void Backend::ask_for_answer() {
  if (options_.jetstream || in_flight() == 0 || asked_ == next_) return;
  const bool is_asked = asked_ > first_open_;
  if (is_asked && next_ - asked_ < options_.window / kRefillShare) return;
  asked_ = next_;
  reply_.resize(connection_->inbox().size() + 1);
  reply_ += std::to_string(next_);
  if (!connection_->publish(reply_.c_str(), nullptr, std::string_view())) lost(connection_->error());
}

sluice_status Backend::poll(int wake_fd, milliseconds timeout, std::uint32_t) {
  if (connection_ == nullptr) {
    pollfd waiting{.fd = wake_fd, .events = POLLIN, .revents = 0};
    (void)::poll(&waiting, 1, static_cast<int>(timeout.count()));
    return SLUICE_OK;
  }
  if (in_flight() != 0) {
    const std::uint64_t due = last_progress_ms_ + static_cast<std::uint64_t>(options_.timeout.count());
    const std::uint64_t now = now_ms();
    if (now >= due) {
      lost("no answer for " + std::to_string(options_.timeout.count()) + " ms");
      return SLUICE_OK;
    }
    timeout = std::min(timeout, milliseconds(due - now));
    ask_for_answer();
    if (connection_ == nullptr) return SLUICE_OK;
  }
  connection_->exchange(wake_fd, timeout);
  if (!connection_->wants_write()) output_bytes_ = 0;
  // The server says first what it refuses, and then that it has handled what stood behind it.
  if (const std::string refusal = connection_->refusal(); !refusal.empty()) {
    lost(refusal + ": may this user publish to '" + options_.subject_text + "' and subscribe to its inbox?",
         SLUICE_AWAY);
    return SLUICE_OK;
  }
  take_answers();
  if (connection_->lost()) lost(connection_->error());
  return SLUICE_OK;
}

// Answers.

void Backend::take_answers() {
  const std::size_t front = connection_->inbox().size() + 1;
  while (connection_->take_answer(message_)) {
    if (!message_) {
      nobody_took();
      continue;
    }
    const std::string_view subject = message_.subject();
    std::uint64_t ticket = 0;
    if (subject.size() <= front) continue;
    if (std::from_chars(subject.data() + front, subject.data() + subject.size(), ticket).ec != std::errc{}) continue;
    last_progress_ms_ = now_ms();
    if (options_.jetstream)
      answered(read_answer(message_.body(), options_.subject_text), ticket);
    else
      passed_on(ticket);
  }
  deliver_run();
}

/// Some event under way has a subject that no stream takes. When all go to one subject, it may as well be the oldest.
/// Otherwise what is under way is offered again, one event at a time, until the one is found that nobody takes.
void Backend::nobody_took() {
  if (!options_.jetstream || in_flight() == 0) return;
  const bool fixed = options_.subject.is_fixed();
  if (fixed || in_flight() == 1) {
    stream_gone_ = fixed;  // it may have been deleted: looked at, and made again, before the next event
    return answered(nobody_there(subject_, fixed), first_open_);
  }
  one_by_one_ = options_.window;
  deliver_run();
  for (std::uint64_t ticket = first_open_; ticket < next_; ++ticket) {
    if (is_open(ticket)) host_.complete(ticket, 1, SLUICE_TIMEOUT, "sent again alone: a subject has no stream");
  }
  forget_open();
}

void Backend::answered(const Answer& answer, std::uint64_t ticket) {
  if (!is_open(ticket)) return;
  if (answer.duplicate) sluice::add(duplicates_);
  if (answer.status != SLUICE_OK) {
    host_.complete(ticket, 1, answer.status, answer.reason, answer.code);
    return mark_done(ticket);
  }
  delivered(ticket);
}

/// Core: everything below `up_to` has been handled by the server.
void Backend::passed_on(std::uint64_t up_to) {
  const std::uint64_t first = first_open_, end = std::min(up_to, next_);
  if (end <= first) return;
  if (done_ahead_ == 0) {  // as ever, unless an event was refused: all of it at once
    if (first != run_end_) {
      deliver_run();
      run_start_ = first;
    }
    first_open_ = run_end_ = end;
    return;
  }
  for (std::uint64_t ticket = first; ticket < end; ++ticket) {
    if (is_open(ticket)) delivered(ticket);
  }
}

/// Joins it to the run before it, so that a flood is completed in a few calls.
void Backend::delivered(std::uint64_t ticket) {
  if (ticket != run_end_) {
    deliver_run();
    run_start_ = ticket;
  }
  run_end_ = ticket + 1;
  mark_done(ticket);
}

void Backend::mark_done(std::uint64_t ticket) {
  done_[place(ticket)] = 1;
  ++done_ahead_;
  while (first_open_ < next_ && done_[place(first_open_)] != 0) {
    ++first_open_;
    --done_ahead_;
  }
}

void Backend::forget_open() noexcept {
  first_open_ = asked_ = run_start_ = run_end_ = next_;
  done_ahead_ = 0;
}

void Backend::deliver_run() {
  if (run_end_ > run_start_) host_.complete(run_start_, static_cast<std::uint32_t>(run_end_ - run_start_));
  run_start_ = run_end_;
}

// What the connection had may be with the server, and what the server answered may be on the way.
void Backend::lost(const std::string& why, sluice_status status) {
  const std::string reason = (connection_ == nullptr ? options_.address.shown() : connection_->server()) + ": " + why;
  deliver_run();
  host_.log(in_flight() == 0 ? SLUICE_LOG_INFO : SLUICE_LOG_WARN, "connection lost: " + reason);
  for (std::uint64_t ticket = first_open_; ticket < next_; ++ticket) {
    if (is_open(ticket)) host_.complete(ticket, 1, status, reason);
  }
  forget_open();
  connection_.reset();
}

void Backend::probe(milliseconds timeout) {
  timeout = std::min(timeout, options_.timeout);
  if (options_.jetstream && !options_.stream.name.empty()) {
    StreamOptions only_look = options_.stream;
    only_look.create = false;
    (void)ensure_stream(options_.address, only_look, timeout);
  } else {
    const Connection there(options_.address, timeout, host_);
  }
}

void Backend::stop(milliseconds) {
  if (letter_watch_) letter_watch_->stop();
  deliver_run();
  for (std::uint64_t ticket = first_open_; ticket < next_; ++ticket) {
    if (is_open(ticket)) host_.complete(ticket, 1, SLUICE_CANCELLED, "the host stopped before the answer came");
  }
  forget_open();
  connection_.reset();
}

}  // namespace nats
