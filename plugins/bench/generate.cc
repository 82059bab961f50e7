#include "generate.hh"

#include <poll.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace bench {

Generate::Generate(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      maker_(static_cast<std::uint64_t>(config.integer("seed")), static_cast<std::size_t>(config.integer("size"))),
      count_(static_cast<std::uint64_t>(config.integer("count"))),
      per_ns_(config.number("rate") / 1e9) {}

std::uint64_t Generate::due() {
  if (per_ns_ == 0) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t now = host_.now_ns();
  if (filled_ns_ != 0) {
    const double burst_max = std::max(1.0, per_ns_ * 1e8);
    tokens_ = std::min(tokens_ + per_ns_ * static_cast<double>(now - filled_ns_), burst_max);
  }
  filled_ns_ = now;
  return static_cast<std::uint64_t>(tokens_);
}

sluice_status Generate::pull(sluice_writer& out) {
  if (done()) return SLUICE_END;
  const std::uint64_t allowed = std::min<std::uint64_t>(due(), out.cap);
  if (maker_.max_bytes() > out.bytes_cap && out.grow(&out, 0, maker_.max_bytes()) == 0) {
    throw std::runtime_error("an event of " + std::to_string(maker_.max_bytes()) + " bytes does not fit: lower 'size'");
  }
  while (out.count < allowed && !done() && out.bytes_cap - out.bytes_len >= maker_.max_bytes()) {
    sluice_record& record = *SLUICE_RECORD(&out, out.count);
    std::uint8_t* const at = out.bytes + out.bytes_len;
    record.tag = maker_.made();
    record.ptr = at;
    record.len = maker_.make(reinterpret_cast<char*>(at));
    out.bytes_len += record.len + 1;
    at[record.len] = '\n';  // contiguous lines, as a file would have them
    ++out.count;
  }
  tokens_ -= per_ns_ == 0 ? 0 : out.count;
  return out.count == 0 ? SLUICE_AGAIN : SLUICE_OK;
}

sluice_status Generate::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room) {
  int wait_ms = static_cast<int>(timeout.count());
  if (room > 0) {
    if (done() || due() >= 1) return SLUICE_OK;
    const double missing_ms = std::ceil((1 - tokens_) / per_ns_ / 1e6);
    const int until_due = static_cast<int>(std::clamp(missing_ms, 1.0, 60'000.0));
    wait_ms = wait_ms < 0 ? until_due : std::min(wait_ms, until_due);
  }
  pollfd one{wake_fd, POLLIN, 0};
  (void)::poll(&one, 1, wait_ms);
  return SLUICE_OK;
}

}  // namespace bench
