#include "backend.hh"

#include <algorithm>
#include <functional>

#include <poll.h>

namespace rabbitmq {
namespace {

using namespace std::chrono_literals;

// The socket is asked whether it takes more each time this much was written; a system call per event would cost too
// much.
constexpr std::uint64_t kUncheckedBytesMax = 64 * 1024;
// A full window is not refilled one by one: half of it free is worth a round.
constexpr std::uint32_t kRefillShare = 2;
// While the server says that it is blocked, answers are not overdue; but the host waits for no completion for ever.
constexpr milliseconds kBlockedPatience = 60s;
// What a message's properties take of the frame that they share with its headers, at most.
constexpr std::uint32_t kPropertiesBytes = 2048;
constexpr milliseconds kGoodbye = 500ms;

/// Finds a returned message again among those under way: the server gives back what it was sent, but not its number.
/// Messages that are alike in both have the same fate.
std::uint64_t return_key(std::string_view routing_key, std::string_view message_id) {
  const std::hash<std::string_view> hash;
  return hash(routing_key) * 31 + hash(message_id);
}

}  // namespace

Backend::Backend(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      options_(read_backend_options(config, host.node())),
      window_(options_.window),
      encoder_(options_),
      message_bytes_max_(options_.message_bytes_max) {
  if (config.boolean("holds_dead_letters") && !options_.letter_queue.empty()) {
    letters_.emplace(options_.access, options_.letter_queue);
    letter_watch_.emplace(
        host, [this](milliseconds timeout) { return letters_->ask(timeout); },
        "Time since this host last saw the queue empty, or began to look; 0 when it is empty.");
  }
}

void Backend::start(milliseconds timeout) {
  if (letter_watch_) letter_watch_->start();
  if (connection_ == nullptr) connect(std::min(timeout, options_.access.timeout));
}

void Backend::declare(Connection& connection) const {
  if (!options_.exchange.name.empty()) connection.declare(options_.exchange);
}

void Backend::connect(milliseconds timeout) {
  auto fresh = std::make_unique<Connection>(options_.access, timeout);
  declare(*fresh);
  fresh->confirm_publishing();
  connection_ = std::move(fresh);
  window_.begin();
  blocked_why_.clear();
  full_ = false;
  last_progress_ms_ = now_ms();
  if (host_.logs(SLUICE_LOG_INFO)) host_.log(SLUICE_LOG_INFO, "connected to " + options_.access.address.shown());
}

std::uint32_t Backend::free_places() const noexcept {
  const std::uint32_t free = window_.free();
  return !window_.empty() && free < options_.window / kRefillShare ? 0 : free;
}

sluice_status Backend::publish(sluice::BatchView batch, std::uint32_t& taken) {
  if (connection_ == nullptr) connect(options_.access.timeout);  // throws Away: the host waits, and longer each time
  if (!blocked_why_.empty()) throw sluice::Away("the server takes no messages for now: " + blocked_why_);
  if (window_.empty()) last_progress_ms_ = now_ms();
  if (free_places() == 0) return SLUICE_OK;
  // The library writes three times per message, and each would be a packet and a wake of the server.
  connection_->hold_output(true);
  publish_some(batch, taken);
  if (connection_ != nullptr) connection_->hold_output(false);
  return SLUICE_OK;
}

void Backend::publish_some(sluice::BatchView batch, std::uint32_t& taken) {
  std::uint32_t free = free_places();
  while (taken < batch.size() && free > 0) {
    if (unchecked_bytes_ >= kUncheckedBytesMax) {
      full_ = !connection_->writable();
      if (full_) return;
      unchecked_bytes_ = 0;
    }
    const std::uint64_t ticket = batch.ticket() + taken;
    ++taken;
    --free;
    // From here on the event is taken: whatever happens to the connection is told by completing it.
    if (!publish_one(batch[taken - 1], ticket)) return;
  }
}

bool Backend::publish_one(const sluice::EventView& event, std::uint64_t ticket) {
  const std::uint64_t headers_max = std::max(connection_->frame_bytes_max(), 2 * kPropertiesBytes) - kPropertiesBytes;
  if (!encoder_.encode(event, message_bytes_max_, headers_max, message_)) {
    host_.complete(ticket, 1, SLUICE_REJECTED, encoder_.why());
    return true;
  }
  window_.sent(ticket, options_.mandatory ? return_key(message_.routing_key, message_.message_id) : 0);
  unchecked_bytes_ += message_.body.size();
  if (connection_->publish(options_.exchange.name, message_, options_.mandatory, options_.persistent)) return true;
  bool progress = false;  // the server may have said why before it closed
  (void)connection_->read(*this, progress);
  lost(connection_->error());
  return false;
}

/// Reads what is there. True when the lane should look again.
bool Backend::exchange_frames() {
  bool progress = false;
  if (!connection_->read(*this, progress)) {
    const std::string why = connection_->error();
    if (const std::uint64_t limit = message_limit_in(why); limit > 0 && limit < message_bytes_max_) {
      // One event was too long and took the channel with it: the next try rejects it and lets the others through.
      message_bytes_max_ = limit;
    }
    lost(why);
    return true;
  }
  return progress;
}

sluice_status Backend::poll(int wake_fd, milliseconds timeout, std::uint32_t) {
  pollfd waiting[2] = {{.fd = wake_fd, .events = POLLIN, .revents = 0}, {.fd = -1, .events = POLLIN, .revents = 0}};
  if (connection_ != nullptr) {
    if (exchange_frames()) return SLUICE_OK;
    if (answer_is_overdue()) {
      lost("no confirm for " + std::to_string(patience().count()) + " ms");
      return SLUICE_OK;
    }
    waiting[1].fd = connection_->fd();
    if (full_) waiting[1].events |= POLLOUT;
    timeout = std::min(timeout, connection_->heartbeat_period());
    if (!window_.empty()) timeout = std::min(timeout, std::max(1ms, patience()));
  }
  if (timeout.count() <= 0) return SLUICE_OK;
  if (::poll(waiting, 2, static_cast<int>(timeout.count())) > 0 && waiting[1].revents != 0) {
    if ((waiting[1].revents & POLLOUT) != 0) full_ = false, unchecked_bytes_ = 0;
    exchange_frames();
  }
  return SLUICE_OK;
}

// Frames.

void Backend::confirmed(std::uint64_t number, bool multiple) {
  last_progress_ms_ = now_ms();
  window_.confirm(number, multiple, [&](std::uint64_t ticket, std::uint32_t count) { host_.complete(ticket, count); });
}

void Backend::refused(std::uint64_t number, bool multiple) {
  last_progress_ms_ = now_ms();
  window_.confirm(number, multiple, [&](std::uint64_t ticket, std::uint32_t count) {
    host_.complete(ticket, count, SLUICE_AGAIN,
                   "the server could not take it (basic.nack): a queue is full or failing");
  });
}

void Backend::returned(std::uint16_t code, std::string_view text, const Message& message) {
  const auto ticket = window_.returned(return_key(message.routing_key, message.message_id));
  if (!ticket) return;
  host_.complete(*ticket, 1, SLUICE_REJECTED,
                 "returned: " + std::string(text) + ": no queue is bound to exchange '" + options_.exchange.name +
                     "' for routing key '" + message.routing_key + "'; bind one, or set mandatory: false",
                 code);
}

void Backend::blocked(std::string_view why) {
  blocked_why_ = why.empty() ? "it is short of memory or disk" : std::string(why);
  host_.log(SLUICE_LOG_WARN, options_.access.address.shown() + " takes no messages for now: " + blocked_why_);
}

void Backend::unblocked() {
  blocked_why_.clear();
  last_progress_ms_ = now_ms();
  host_.log(SLUICE_LOG_INFO, options_.access.address.shown() + " takes messages again");
}

// What was published may have arrived, whatever the connection says afterwards.
void Backend::lost(const std::string& why) {
  const std::string reason = options_.access.address.shown() + ": " + why;
  host_.log(window_.empty() ? SLUICE_LOG_INFO : SLUICE_LOG_WARN, "connection lost: " + reason);
  give_up(SLUICE_TIMEOUT, reason);
  connection_.reset();
}

void Backend::give_up(sluice_status status, const std::string& reason) {
  window_.give_up([&](std::uint64_t ticket, std::uint32_t count) { host_.complete(ticket, count, status, reason); });
}

milliseconds Backend::patience() const noexcept {
  return blocked_why_.empty() ? options_.access.timeout : std::max(options_.access.timeout, kBlockedPatience);
}

bool Backend::answer_is_overdue() const noexcept {
  return !window_.empty() && now_ms() >= last_progress_ms_ + static_cast<std::uint64_t>(patience().count());
}

// Life cycle.

void Backend::probe(milliseconds timeout) {
  Connection connection(options_.access, std::min(timeout, options_.access.timeout));
  declare(connection);
  connection.close(kGoodbye);
}

void Backend::stop(milliseconds timeout) {
  if (letter_watch_) letter_watch_->stop();
  give_up(SLUICE_CANCELLED, "the host stopped before the confirm came");
  if (connection_ != nullptr) connection_->close(std::min(timeout, kGoodbye));
  connection_.reset();
}

}  // namespace rabbitmq
