#include "core_source.hh"

#include <poll.h>

#include <algorithm>
#include <cstring>

namespace nats {
namespace {

using namespace std::chrono_literals;
constexpr milliseconds kReconnectMax = 2s;  // pull() is not to hold up its lane for longer

}  // namespace

CoreSource::CoreSource(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      options_(read_core_source(config)),
      waiting_cell_(host.cell(SLUICE_GAUGE, "source_lag_events", "Messages that wait in the host.")),
      dropped_cell_(host.cell(SLUICE_COUNTER, "nats_dropped_total", "Messages that found max_waiting reached.")) {}

void CoreSource::start(milliseconds timeout) {
  if (connection_ == nullptr) connect(std::min(timeout, options_.timeout));
}

void CoreSource::connect(milliseconds timeout) {
  auto fresh = std::make_unique<Connection>(options_.address, timeout, host_);
  fresh->subscribe(options_.subject, options_.queue, options_.messages_max, options_.bytes_max, timeout);
  connection_ = std::move(fresh);
  dropped_ = 0;
  host_.log(SLUICE_LOG_INFO, "listening to '" + options_.subject + "' at " + connection_->server());
}

sluice_status CoreSource::pull(sluice_writer& out) {
  attributes_.clear();
  while (connection_ != nullptr && (kept_ || connection_->take(kept_))) {
    if (!add_record(out)) break;
    ++out.count;
    kept_ = {};
  }
  if (out.count > 0) return SLUICE_OK;
  if (connection_ != nullptr && connection_->lost()) {
    const std::string why = connection_->server() + ": " + connection_->error();
    connection_.reset();
    throw sluice::Away(why);
  }
  if (connection_ == nullptr && !stopping_) connect(std::min(options_.timeout, kReconnectMax));
  return SLUICE_AGAIN;
}

bool CoreSource::add_record(sluice_writer& out) {
  const std::string_view body = kept_.body();
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
  kept_.headers(headers_);
  if (headers_.empty()) return true;
  Attributes& attributes = attributes_.emplace_back();
  record.flags = attributes.read(headers_);
  if ((record.flags & SLUICE_ATTRIBUTES) != 0) {
    record.headers = attributes.all().data();
    record.header_count = static_cast<std::uint32_t>(attributes.all().size());
  }
  return true;
}

sluice_status CoreSource::poll(int wake_fd, milliseconds timeout, std::uint32_t room) {
  if (connection_ == nullptr) {
    pollfd waiting{.fd = wake_fd, .events = POLLIN, .revents = 0};
    (void)::poll(&waiting, 1, static_cast<int>(timeout.count()));
    return SLUICE_OK;
  }
  // Read on without room, too: the server cuts off who does not, and the bounds are the subscription's.
  const bool something = kept_ || connection_->waiting() > 0 || connection_->lost();
  connection_->exchange(wake_fd, room > 0 && something ? 0ms : timeout);
  count_dropped();
  return SLUICE_OK;
}

void CoreSource::count_dropped() {
  sluice::set(waiting_cell_, static_cast<double>(connection_->waiting()));
  const std::uint64_t dropped = connection_->dropped();
  if (dropped == dropped_) return;
  if (dropped_ == 0) {
    host_.log(SLUICE_LOG_WARN, "max_waiting is reached: what comes now is dropped until the graph catches up");
  }
  sluice::add(dropped_cell_, dropped - dropped_);
  dropped_ = dropped;
}

void CoreSource::probe(milliseconds timeout) {
  const Connection there(options_.address, std::min(timeout, options_.timeout), host_);
}

void CoreSource::stop(milliseconds) {
  stopping_ = true;
  const std::uint32_t left = connection_ == nullptr ? 0 : connection_->waiting() + (kept_ ? 1 : 0);
  if (left > 0) host_.log(SLUICE_LOG_WARN, std::to_string(left) + " messages that waited here are lost");
  sluice::add(dropped_cell_, left);
  kept_ = {};
  connection_.reset();
}

}  // namespace nats
