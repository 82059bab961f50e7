#include "null.hh"

#include <poll.h>

#include <algorithm>

namespace bench {
namespace {

sluice_status status_named(std::string_view name) {
  if (name == "rejected") return SLUICE_REJECTED;
  if (name == "away") return SLUICE_AWAY;
  if (name == "timeout") return SLUICE_TIMEOUT;
  if (name == "cancelled") return SLUICE_CANCELLED;
  return SLUICE_AGAIN;
}

}  // namespace

Null::Null(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      latency_ns_(static_cast<std::uint64_t>(config.integer("latency")) * 1'000'000),
      in_flight_max_(static_cast<std::uint64_t>(config.integer("in_flight"))),
      status_every_(static_cast<std::uint64_t>(config.integer("status_every"))),
      status_(status_named(config.text("status"))) {}

sluice_status Null::publish(sluice::BatchView batch, std::uint32_t& taken) {
  if (latency_ns_ == 0) {
    taken = batch.size();
    complete(batch.ticket(), taken);
    return SLUICE_OK;
  }
  taken = static_cast<std::uint32_t>(std::min<std::uint64_t>(batch.size(), in_flight_max_ - in_flight_));
  if (taken > 0) held_.push_back({host_.now_ns() + latency_ns_, batch.ticket(), taken});
  in_flight_ += taken;
  return SLUICE_OK;
}

void Null::complete(std::uint64_t ticket, std::uint32_t count) {
  while (count > 0) {
    const std::uint64_t until_odd = status_every_ == 0 ? count : status_every_ - ended_ % status_every_ - 1;
    const auto good = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, until_odd));
    if (good > 0) host_.complete(ticket, good);
    if (good < count) host_.complete(ticket + good, 1, status_, "null: every n-th event ends like this");
    const std::uint32_t ended = std::min(good + 1, count);
    ended_ += ended;
    ticket += ended;
    count -= ended;
  }
}

void Null::complete_due(std::uint64_t now_ns) {
  while (!held_.empty() && held_.front().due_ns <= now_ns) {
    const Held due = held_.front();
    held_.pop_front();
    in_flight_ -= due.count;
    complete(due.ticket, due.count);
  }
}

sluice_status Null::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t) {
  int wait_ms = static_cast<int>(timeout.count());
  if (!held_.empty()) {
    const std::uint64_t now = host_.now_ns(), due = held_.front().due_ns;
    const int until_due = due <= now ? 0 : static_cast<int>((due - now + 999'999) / 1'000'000);
    wait_ms = wait_ms < 0 ? until_due : std::min(wait_ms, until_due);
  }
  if (wait_ms != 0) {
    pollfd one{wake_fd, POLLIN, 0};
    (void)::poll(&one, 1, wait_ms);
  }
  complete_due(host_.now_ns());
  return SLUICE_OK;
}

void Null::stop(std::chrono::milliseconds) {
  for (const Held& held : held_) host_.complete(held.ticket, held.count, SLUICE_CANCELLED, "the host is stopping");
  held_.clear();
  in_flight_ = 0;
}

}  // namespace bench
