#include "source.hh"

#include "ack_subject.hh"
#include "answer.hh"
#include "jetstream.hh"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace nats {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAck = "+ACK", kTerminate = "+TERM", kInWork = "+WPI", kAgainNow = "-NAK";
constexpr milliseconds kFactsEvery = 5s;    // how old the lag metric may be while nothing comes
constexpr milliseconds kAfterRefusal = 1s;  // until the next request when the server did not take one
constexpr milliseconds kReconnectMax = 2s;  // pull() is not to hold up its lane for longer
constexpr milliseconds kLastWordsMax = 1s;  // for acknowledgements that are not sent yet when the node goes
constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::string_view kEraseMark = ".erase-";  // in our inbox, before the sequence
constexpr std::int32_t kNoSuchMessage = 10043;      // it is deleted already

std::string fetch_body(std::uint64_t messages, milliseconds wait, std::uint64_t bytes) {
  std::string body = R"({"batch":)" + std::to_string(messages) + R"(,"expires":)" +
                     std::to_string(static_cast<std::uint64_t>(wait.count()) * kNsPerMs);
  if (bytes != 0) body += R"(,"max_bytes":)" + std::to_string(bytes);
  return body + "}";
}

/// What was given up is in the dead letters anew; what is no event is nowhere else.
bool leaves_the_stream(const sluice_settlement& settled) {
  return settled.outcome == SLUICE_WAS_DELIVERED ||
         (settled.outcome == SLUICE_WAS_REJECTED && settled.code != SLUICE_CODE_UNDECODABLE &&
          settled.code != SLUICE_CODE_TOO_LARGE && settled.code != SLUICE_CODE_HALTED);
}

}  // namespace

Source::Source(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      options_(read_source(config)),
      lag_(host.cell(SLUICE_GAUGE, "source_lag_events", "Messages that the consumer has not handed out yet.")),
      pending_(host.cell(SLUICE_GAUGE, "source_pending_events", "Messages handed out and not acknowledged.")),
      redelivered_(host.cell(SLUICE_COUNTER, "nats_redelivered_total", "Messages that came not for the first time.")),
      terminated_(host.cell(SLUICE_COUNTER, "nats_terminated_total", "Rejected messages that will not come again.")),
      returned_(host.cell(SLUICE_COUNTER, "nats_returned_total", "Messages given back to come again.")) {
  const std::string place = options_.consumer.stream + "." + options_.consumer.durable;
  next_subject_ = "$JS.API.CONSUMER.MSG.NEXT." + place;
  facts_subject_ = "$JS.API.CONSUMER.INFO." + place;
  erase_subject_ = "$JS.API.STREAM.MSG.DELETE." + options_.consumer.stream;
  const std::uint64_t delay_ns = static_cast<std::uint64_t>(options_.nak_delay.count()) * kNsPerMs;
  again_word_ = delay_ns == 0 ? std::string(kAgainNow) : "-NAK {\"delay\":" + std::to_string(delay_ns) + "}";
}

Source::~Source() {
  const auto end = std::chrono::steady_clock::now() + kLastWordsMax;
  while (connection_ != nullptr && connection_->wants_write() && !connection_->lost() &&
         std::chrono::steady_clock::now() < end) {
    connection_->exchange(-1, 50ms);
  }
}

void Source::start(milliseconds timeout) {
  if (connection_ == nullptr) connect(std::min(timeout, options_.timeout));
}

void Source::connect(milliseconds timeout) {
  const ConsumerFacts facts = ensure_consumer(options_.address, options_.consumer, timeout);
  if (!facts.note.empty()) host_.log(SLUICE_LOG_INFO, facts.note);
  connection_ = std::make_unique<Connection>(options_.address, timeout, host_);
  ack_wait_ = facts.ack_wait;
  fetches_.clear();
  not_before_ms_ = next_report_ms_ = next_facts_ms_ = 0;
  sluice::set(lag_, static_cast<double>(facts.pending));
  if (options_.stop_at_end) {
    if (!end_at_) end_at_ = facts.last_sequence;
    all_handed_out_ = facts.pending == 0;
    // What an earlier run had, or this one lost on the wire, comes again; what is here or only to be told does not.
    const std::uint64_t known = held_.size() + owed_.size() + erasing_.size();
    awaited_ = facts.ack_pending > known ? facts.ack_pending - known : 0;
  }
  for (const auto& [reply, word] : owed_) answer(reply, word);
  owed_.clear();
  for (const auto& [sequence, reply] : erasing_) ask_to_erase(sequence);
  host_.log(SLUICE_LOG_INFO, "connected to " + connection_->server());
}

void Source::lost(std::string why) {
  lost_ = std::move(why);
  connection_.reset();
}

sluice_status Source::pull(sluice_writer& out) {
  attributes_.clear();
  while (Place* place = held_.oldest()) {
    if (!add_record(out, *place)) break;
    SLUICE_RECORD(&out, out.count)->tag = held_.pulled();
    ++out.count;
  }
  if (out.count > 0) return SLUICE_OK;
  if (!lost_.empty()) throw sluice::Away(std::exchange(lost_, {}));
  if (connection_ == nullptr) connect(std::min(options_.timeout, kReconnectMax));
  return is_read_to_the_end() ? SLUICE_END : SLUICE_AGAIN;
}

bool Source::is_read_to_the_end() const noexcept {
  return end_at_ && connection_ != nullptr && all_handed_out_ && awaited_ == 0 && held_.size() == 0 && erasing_.empty();
}

bool Source::note_towards_end(const Message& message) {
  const std::string reply(message.reply());
  const auto delivery = read_ack_subject(reply);
  if (!end_at_ || !delivery) return true;
  if (delivery->pending == 0 || delivery->sequence >= *end_at_) all_handed_out_ = true;
  if (delivery->sequence > *end_at_) {
    answer(reply, again_word_);
    return false;
  }
  if (delivery->times > 1 && awaited_ > 0) --awaited_;
  return true;
}

/// False when there is no room. Fills in everything but the tag.
bool Source::add_record(sluice_writer& out, Place& place) {
  const std::string_view body = place.message.body();
  if (out.count == out.cap || out.bytes_cap - out.bytes_len < body.size()) {
    const std::uint32_t records = out.count == out.cap ? 1 : 0;
    if (out.grow == nullptr || out.grow(&out, records, body.size()) == 0) return false;
  }
  sluice_record& record = *SLUICE_RECORD(&out, out.count);
  if (!body.empty()) std::memcpy(out.bytes + out.bytes_len, body.data(), body.size());
  record.ptr = out.bytes + out.bytes_len;
  record.len = body.size();
  out.bytes_len += body.size();
  record.parent = SLUICE_NO_PARENT;
  place.message.headers(headers_);
  if (!headers_.empty()) {
    Attributes& attributes = attributes_.emplace_back();
    record.flags = attributes.read(headers_);
    if ((record.flags & SLUICE_ATTRIBUTES) != 0) {
      record.headers = attributes.all().data();
      record.header_count = static_cast<std::uint32_t>(attributes.all().size());
    }
  }
  if (const auto delivery = read_ack_subject(place.reply)) {
    place.position = delivery->stream;
    place.position += ":" + std::to_string(delivery->sequence);
    record.position = sluice::str(place.position);
    if (delivery->times > 1) sluice::add(redelivered_);
    sluice::set(lag_, static_cast<double>(delivery->pending));
  }
  return true;
}

void Source::settle(sluice::SettlementsView all) {
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const sluice_settlement& settled = all[i];
    Place* place = held_.find(settled.tag);
    if (place == nullptr) {
      host_.log(SLUICE_LOG_ERROR, "a settlement names no message of this node: " + std::to_string(settled.tag));
      continue;
    }
    if (settled.outcome == SLUICE_NOT_DELIVERED) {
      // A host that stops gives it to the others at once.
      answer(place->reply, settled.code == SLUICE_CODE_STOPPING ? kAgainNow : std::string_view(again_word_));
      sluice::add(returned_);
      if (end_at_) ++awaited_;
    } else if (options_.delete_delivered && leaves_the_stream(settled)) {
      erase(place->reply);
    } else {
      answer(place->reply, settled.outcome == SLUICE_WAS_REJECTED ? kTerminate : kAck);
      if (settled.outcome == SLUICE_WAS_REJECTED) sluice::add(terminated_);
    }
    held_.free(settled.tag);
  }
}

/// Deleted first and acknowledged then: what is killed in between is read, and deleted, again.
void Source::erase(const std::string& reply) {
  const auto delivery = read_ack_subject(reply);
  if (!delivery) return;
  erasing_.emplace(delivery->sequence, reply);
  ask_to_erase(delivery->sequence);
}

void Source::ask_to_erase(std::uint64_t sequence) {
  if (connection_ == nullptr) return;  // asked for when it is back
  const std::string number = std::to_string(sequence);
  const std::string reply = connection_->inbox() + std::string(kEraseMark) + number;
  if (!connection_->publish(erase_subject_.c_str(), reply.c_str(), R"({"no_erase":true,"seq":)" + number + "}")) {
    lost(connection_->server() + ": " + connection_->error());
  }
}

void Source::take_erasure(const Message& message, std::string_view digits) {
  std::uint64_t sequence = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  const auto found = erasing_.find(sequence);
  if (found == erasing_.end()) return;
  const Answer said = read_answer(message.body(), erase_subject_);
  if (said.status != SLUICE_OK && said.code != kNoSuchMessage) {
    throw std::runtime_error("message " + std::to_string(sequence) + " of stream '" + options_.consumer.stream +
                             "' cannot be deleted: " + said.reason);
  }
  answer(found->second, kAck);
  erasing_.erase(found);
}

void Source::answer(const std::string& reply, std::string_view word) {
  if (connection_ == nullptr) {
    owed_.emplace_back(reply, word);  // at most one for each message that was held
  } else if (!connection_->publish(reply.c_str(), nullptr, word)) {
    lost(connection_->server() + ": " + connection_->error());
  }
}

sluice_status Source::poll(int wake_fd, milliseconds timeout, std::uint32_t room) {
  if (connection_ == nullptr) {
    pollfd waiting{.fd = wake_fd, .events = POLLIN, .revents = 0};
    if (lost_.empty() || room == 0) (void)::poll(&waiting, 1, static_cast<int>(timeout.count()));
    return SLUICE_OK;
  }
  fetches_.expire(now_ms());
  report_work();
  ask_for_facts();
  if (room > 0 && !stopping_) fetch_when_room(room);
  timeout = room > 0 && held_.waiting() > 0 ? 0ms : std::min(timeout, until_next_duty());
  if (connection_ != nullptr) connection_->exchange(wake_fd, timeout);
  if (connection_ != nullptr) take_messages();
  if (connection_ != nullptr && connection_->lost()) lost(connection_->server() + ": " + connection_->error());
  if (connection_ == nullptr) return SLUICE_OK;
  if (const std::string refusal = connection_->refusal(); !refusal.empty()) {
    if (!erasing_.empty()) throw std::runtime_error(refusal + ": may this user publish to " + erase_subject_ + "?");
    lost(refusal + ": may this user publish to $JS.API.CONSUMER.> and $JS.ACK.>, and subscribe to its inbox?");
  }
  return SLUICE_OK;
}

void Source::take_messages() {
  Message message;
  while (connection_ != nullptr && connection_->take_answer(message)) {
    if (!message) {
      return lost("stream '" + options_.consumer.stream + "' or its consumer '" + options_.consumer.durable +
                  "' is gone");
    }
    if (message.subject().starts_with(connection_->inbox())) {
      take_word(message);
      continue;
    }
    fetches_.message_came();
    if (!note_towards_end(message)) continue;
    held_.add(std::move(message), now_ms());
    message = {};
  }
  if (stopping_) refuse_waiting();
  sluice::set(pending_, static_cast<double>(held_.size()));
}

/// The end of a request, or the facts that were asked for.
void Source::take_word(const Message& message) {
  const std::string_view below = message.subject().substr(connection_->inbox().size());
  if (below.starts_with(kEraseMark)) return take_erasure(message, below.substr(kEraseMark.size()));
  if (!message.body().empty()) return take_facts(message.body());
  const int status = message.status();
  if (status == 100) return;  // the server is there, and has nothing
  const std::string_view subject = message.subject(), why = message.header("Description");
  std::uint64_t number = 0;
  const char* const digits = subject.data() + connection_->inbox().size() + 1;
  if (std::from_chars(digits, subject.data() + subject.size(), number).ec != std::errc{}) return;
  const bool got_nothing = fetches_.ended(number);
  if (status == 404 || status == 408) return;
  if (why.find("Deleted") != why.npos) {
    return lost("consumer '" + options_.consumer.durable + "' of stream '" + options_.consumer.stream +
                "' was deleted");
  }
  if (why.find("MaxBytes") != why.npos) {
    one_alone_ = got_nothing;
    return;
  }
  not_before_ms_ = now_ms() + static_cast<std::uint64_t>(kAfterRefusal.count());
  host_.log(SLUICE_LOG_WARN,
            "the server refuses a request for messages: " + std::to_string(status) + " " + std::string(why));
}

void Source::take_facts(std::string_view body) {
  ConsumerState state;
  if (!read_consumer_state(body, state)) {
    return lost("consumer '" + options_.consumer.durable + "' of stream '" + options_.consumer.stream + "' is gone");
  }
  sluice::set(lag_, static_cast<double>(state.pending));
}

void Source::fetch_when_room(std::uint32_t room) {
  if (end_at_ && all_handed_out_ && awaited_ == 0) return;
  // Half of what may be under way is asked for at a time, so that the next half travels while one is worked on.
  const std::uint64_t there = fetches_.outstanding() + held_.waiting();
  const std::uint64_t share = std::max<std::uint64_t>(1, options_.batch_size / 2);
  if (there + share > std::max<std::uint64_t>(options_.batch_size, 1) || now_ms() < not_before_ms_) return;
  const std::uint64_t count = one_alone_ ? 1 : std::min<std::uint64_t>(share, std::max<std::uint32_t>(room, 1));
  const std::uint64_t until = now_ms() + static_cast<std::uint64_t>((options_.fetch_wait + options_.timeout).count());
  const std::uint64_t number = fetches_.add(static_cast<std::uint32_t>(count), until);
  const std::string reply = connection_->inbox() + "." + std::to_string(number);
  const std::string body = fetch_body(count, options_.fetch_wait, one_alone_ ? 0 : options_.max_bytes);
  one_alone_ = false;
  if (!connection_->publish(next_subject_.c_str(), reply.c_str(), body)) {
    lost(connection_->server() + ": " + connection_->error());
  }
}

/// What takes longer than a third of ack_wait is reported as in work, a sixth of it later at most.
void Source::report_work() {
  const std::uint64_t now = now_ms();
  if (now < next_report_ms_ || connection_ == nullptr) return;
  const auto wait = static_cast<std::uint64_t>(ack_wait_.count());
  next_report_ms_ = now + std::max<std::uint64_t>(1, wait / 6);
  held_.each([&](Place& place) {
    if (connection_ == nullptr || now < place.touched_ms + wait / 3) return;
    place.touched_ms = now;
    answer(place.reply, kInWork);
  });
}

void Source::ask_for_facts() {
  if (connection_ == nullptr || now_ms() < next_facts_ms_) return;
  const bool first = next_facts_ms_ == 0;
  next_facts_ms_ = now_ms() + static_cast<std::uint64_t>(kFactsEvery.count());
  if (first) return;
  const std::string reply = connection_->inbox() + ".facts";
  if (!connection_->publish(facts_subject_.c_str(), reply.c_str(), std::string_view())) {
    lost(connection_->server() + ": " + connection_->error());
  }
}

milliseconds Source::until_next_duty() const noexcept {
  const std::uint64_t now = now_ms();
  std::uint64_t due = next_facts_ms_;
  if (held_.size() > 0) due = std::min(due, next_report_ms_);
  if (not_before_ms_ > now) due = std::min(due, not_before_ms_);
  return milliseconds(due <= now ? 0 : due - now);
}

void Source::refuse_waiting() {
  while (Place* place = held_.oldest()) {
    answer(place->reply, kAgainNow);
    held_.free(held_.pulled());
  }
}

void Source::probe(milliseconds timeout) {
  ConsumerOptions only_look = options_.consumer;
  only_look.create = false;
  (void)ensure_consumer(options_.address, only_look, std::min(timeout, options_.timeout));
}

void Source::stop(milliseconds) {
  stopping_ = true;
  refuse_waiting();
}

}  // namespace nats
