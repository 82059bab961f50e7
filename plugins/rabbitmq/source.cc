#include "source.hh"

#include <algorithm>
#include <cstring>

#include <poll.h>

namespace rabbitmq {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kGoodbye = 1s;
constexpr std::uint64_t kDepthEveryMs = 5'000;

}  // namespace

Source::Source(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      options_(read_source_options(config, host.node())),
      deliveries_(options_.prefetch),
      depth_(host.cell(SLUICE_GAUGE, "source_lag_events", "Messages that wait in the queue.")),
      pending_(
          host.cell(SLUICE_GAUGE, "source_pending_events", "Messages handed over by the server, not acknowledged.")),
      redelivered_cell_(
          host.cell(SLUICE_COUNTER, "rabbitmq_redelivered_total", "Messages that came not for the first time")),
      requeued_cell_(
          host.cell(SLUICE_COUNTER, "rabbitmq_retried_total", "Messages tried again after they were not delivered")),
      dead_lettered_cell_(host.cell(SLUICE_COUNTER, "rabbitmq_rejected_total",
                                    "Messages rejected, and dead-lettered by the server where it was told how")) {}

// What was acknowledged last is read by the server before the connection goes: unread answers in the socket would
// otherwise make the kernel throw it away.
Source::~Source() {
  if (connection_ != nullptr) connection_->close(kGoodbye);
}

void Source::start(milliseconds timeout) {
  if (connection_ == nullptr) connect(std::min(timeout, options_.access.timeout));
}

void Source::declare(Connection& connection) const {
  if (options_.dead_letter_exchange) connection.declare(*options_.dead_letter_exchange);
  if (options_.dead_letter_queue) {
    connection.declare(*options_.dead_letter_queue);
    connection.bind(options_.dead_letter_queue->name, options_.dead_letter_exchange->name, "#");
  }
  if (options_.exchange) connection.declare(*options_.exchange);
  connection.declare(options_.queue);
  for (const std::string& pattern : options_.bindings) {
    connection.bind(options_.queue.name, options_.exchange->name, pattern);
  }
}

void Source::connect(milliseconds timeout) {
  auto fresh = std::make_unique<Connection>(options_.access, timeout);
  declare(*fresh);
  if (options_.once != Once::no) ask_what_is_there(*fresh, timeout);
  fresh->consume(options_.queue.name, options_.prefetch);
  connection_ = std::move(fresh);
  next_depth_ms_ = now_ms();
  if (host_.logs(SLUICE_LOG_INFO)) {
    host_.log(SLUICE_LOG_INFO,
              "consuming from queue '" + options_.queue.name + "' at " + options_.access.address.shown());
  }
}

sluice_status Source::pull(sluice_writer& out) {
  if (stopping_) return SLUICE_AGAIN;
  if (connection_ == nullptr) connect(options_.access.timeout);  // throws Away: the host waits, and longer each time
  if (readings_.size() < out.cap) readings_.resize(out.cap);
  while (Deliveries::Place* place = deliveries_.waiting()) {
    if (options_.once != Once::no && left_ == 0) break;  // it came later
    if (!hand_over(*place, out)) break;
    if (options_.once != Once::no) std::string().swap(place->message.body);  // it is not offered again
    deliveries_.handed();
    ++handed_;
    if (left_ > 0) --left_;
  }
  if (out.count > 0) return SLUICE_OK;
  return options_.once != Once::no && read_once() ? SLUICE_END : SLUICE_AGAIN;
}

/// How many messages are to be read, before the first of them comes.
void Source::ask_what_is_there(Connection& connection, milliseconds timeout) {
  counted_ = false;
  handed_ = settled_ = 0;
  const auto end = std::chrono::steady_clock::now() + timeout;
  bool progress = false;
  bool alive = connection.ask_depth(options_.queue.name);
  while (alive && !counted_ && std::chrono::steady_clock::now() < end) {
    alive = connection.read(*this, progress);
    pollfd waiting{.fd = connection.fd(), .events = POLLIN, .revents = 0};
    if (alive && !counted_) ::poll(&waiting, 1, 50);
  }
  if (!counted_) throw sluice::Away(options_.access.address.shown() + ": does not say how much is in the queue");
}

bool Source::read_once() const {
  const bool window_is_full = deliveries_.open() >= options_.prefetch && !deliveries_.has_waiting();
  return counted_ && settled_ >= handed_ && (left_ == 0 || window_is_full);
}

bool Source::hand_over(Deliveries::Place& place, sluice_writer& out) {
  const Message& message = place.message;
  const std::uint64_t bytes = message.body.size();
  if (out.count == out.cap || out.bytes_cap - out.bytes_len < bytes) {
    const std::uint32_t records = out.count == out.cap ? 1 : 0;
    if (out.grow == nullptr || out.grow(&out, records, bytes) == 0) {
      if (out.count > 0) return false;
      // Alone in an empty pull and still too long: it will never fit.
      host_.log(SLUICE_LOG_ERROR, "a message of " + std::to_string(bytes) +
                                      " bytes is longer than the host takes in one record, and is rejected");
      reject(place);
      return true;
    }
  }
  if (readings_.size() <= out.count) readings_.resize(out.count + 1);
  Reading& reading = readings_[out.count];
  read_message(message, reading);
  sluice_record& record = *SLUICE_RECORD(&out, out.count);
  if (bytes > 0) std::memcpy(out.bytes + out.bytes_len, message.body.data(), bytes);
  record.ptr = out.bytes + out.bytes_len;
  record.len = bytes;
  record.flags = reading.flags;
  record.headers = reading.attributes.data();
  record.header_count = static_cast<std::uint32_t>(reading.attributes.size());
  record.tag = place.tag;
  record.position = sluice::str(message.message_id);
  out.bytes_len += bytes;
  ++out.count;
  return true;
}

void Source::settle(sluice::SettlementsView all) {
  for (std::uint32_t i = 0; i < all.size(); ++i) settle_one(all[i]);
  send_acks();
}

void Source::settle_one(const sluice_settlement& settlement) {
  Deliveries::Place* const place = deliveries_.find(settlement.tag);
  if (place == nullptr || connection_ == nullptr) return;  // its connection is gone: the server hands it out again
  if (options_.once != Once::no) return settle_once(*place, settlement);
  switch (settlement.outcome) {
    case SLUICE_WAS_DELIVERED:
    case SLUICE_WAS_DROPPED:
      deliveries_.acknowledge(*place);
      return;
    case SLUICE_WAS_REJECTED:
      reject(*place);
      return;
    default:
      not_delivered(*place, settlement);
  }
}

/// What stays is neither acknowledged nor rejected: it goes back to its place with the connection.
void Source::settle_once(Deliveries::Place& place, const sluice_settlement& settlement) {
  ++settled_;
  // What was given up is in the dead letters anew; what is no event is nowhere else.
  const bool buried = settlement.outcome == SLUICE_WAS_REJECTED && settlement.code != SLUICE_CODE_UNDECODABLE &&
                      settlement.code != SLUICE_CODE_TOO_LARGE && settlement.code != SLUICE_CODE_HALTED;
  if (options_.once == Once::take && (settlement.outcome == SLUICE_WAS_DELIVERED || buried)) {
    deliveries_.acknowledge(place);
  }
}

void Source::not_delivered(Deliveries::Place& place, const sluice_settlement& settlement) {
  if (stopping_ || settlement.code == SLUICE_CODE_STOPPING) return;  // goes back to the queue with the connection
  // A full queue or a halt says nothing about the message: it has not used up a try.
  const bool charged = settlement.code != SLUICE_CODE_FULL && settlement.code != SLUICE_CODE_HALTED;
  if (charged) ++place.failures;
  if (charged && options_.dead_letters && place.message.deliveries + place.failures > options_.retries_max) {
    reject(place);
    return;
  }
  deliveries_.hold(place, now_ms() + static_cast<std::uint64_t>(options_.retry_delay.count()));
}

void Source::reject(Deliveries::Place& place) {
  const std::uint64_t tag = place.message.delivery_tag;
  ++dead_lettered_;
  sluice::add(dead_lettered_cell_);
  deliveries_.close(place);
  if (connection_ != nullptr && !connection_->reject(tag, false)) lost(connection_->error());
}

void Source::send_acks() {
  if (connection_ == nullptr) return;
  const Deliveries::Acks& acks = deliveries_.take_acks();
  bool sent = acks.up_to == 0 || connection_->acknowledge(acks.up_to, true);
  for (const std::uint64_t tag : acks.single) sent = sent && connection_->acknowledge(tag, false);
  if (!sent) lost(connection_->error());
}

void Source::release_held() {
  bool sent = true;
  deliveries_.release_due(now_ms(), [&](Deliveries::Place& place) {
    ++requeued_;
    sluice::add(requeued_cell_);
    if (!options_.quorum && !place.message.counts_deliveries) return deliveries_.offer_again(place);
    const std::uint64_t tag = place.message.delivery_tag;
    deliveries_.close(place);
    sent = sent && connection_->reject(tag, true);
  });
  if (!sent) lost(connection_->error());
}

void Source::ask_depth_when_due() {
  if (now_ms() < next_depth_ms_) return;
  next_depth_ms_ = now_ms() + kDepthEveryMs;
  if (!connection_->ask_depth(options_.queue.name)) lost(connection_->error());
}

bool Source::exchange_frames() {
  bool progress = false;
  if (!connection_->read(*this, progress)) {
    lost(connection_->error());
    return true;
  }
  return progress && deliveries_.has_waiting();
}

milliseconds Source::until_next_duty() const {
  const std::uint64_t now = now_ms();
  const std::uint64_t due = std::min(next_depth_ms_, deliveries_.next_due_ms().value_or(UINT64_MAX));
  return std::min(milliseconds(due <= now ? 0 : due - now), connection_->heartbeat_period());
}

sluice_status Source::poll(int wake_fd, milliseconds timeout, std::uint32_t room) {
  pollfd waiting[2] = {{.fd = wake_fd, .events = POLLIN, .revents = 0}, {.fd = -1, .events = POLLIN, .revents = 0}};
  sluice::set(pending_, deliveries_.open());
  if (connection_ != nullptr && !stopping_) {
    release_held();
    if (connection_ != nullptr) ask_depth_when_due();
  }
  if (connection_ != nullptr) {
    if (exchange_frames()) return SLUICE_OK;
  }
  if (connection_ != nullptr) {
    waiting[1].fd = connection_->fd();
    timeout = std::min(timeout, stopping_ ? connection_->heartbeat_period() : until_next_duty());
  }
  if (room > 0 && deliveries_.has_waiting()) return SLUICE_OK;
  if (timeout.count() <= 0) return SLUICE_OK;
  if (::poll(waiting, 2, static_cast<int>(timeout.count())) > 0 && waiting[1].revents != 0) exchange_frames();
  return SLUICE_OK;
}

// Frames.

void Source::delivered(Message& message) {
  if (stopping_) return;  // unacknowledged, it goes back with the connection
  if (message.redelivered) sluice::add(redelivered_cell_);
  if (!deliveries_.arrived(message)) {
    host_.log(SLUICE_LOG_WARN, "the server sent more messages than prefetch_count allows: one is given back");
    if (!connection_->reject(message.delivery_tag, true)) host_.log(SLUICE_LOG_WARN, "giving it back failed");
  }
}

void Source::counted(std::uint32_t messages) {
  sluice::set(depth_, messages);
  if (!counted_) {
    counted_ = true;
    left_ = messages;
  } else if (messages == 0 && !deliveries_.has_waiting()) {
    left_ = 0;  // another consumer took the others
  }
}

/// The server hands every unacknowledged message out again; what was pulled of them is not acknowledged any more.
void Source::lost(const std::string& why) {
  host_.log(SLUICE_LOG_WARN, "connection lost: " + options_.access.address.shown() + ": " + why);
  deliveries_.forget();
  connection_.reset();
}

// Life cycle.

void Source::probe(milliseconds timeout) {
  Connection connection(options_.access, std::min(timeout, options_.access.timeout));
  declare(connection);
  connection.close(500ms);
}

void Source::stop(milliseconds) {
  if (stopping_) return;
  stopping_ = true;
  if (connection_ != nullptr && !connection_->cancel()) lost(connection_->error());
}

std::string Source::summary() const {
  return std::to_string(requeued_) + " messages tried again, " + std::to_string(dead_lettered_) + " rejected\n";
}

}  // namespace rabbitmq
