// Source `generate`: deterministic CloudEvents, written straight into the host's memory, at a rate or as fast as the
// graph takes them.
//
// A rate is kept by a token count that grows with the host's clock: the lane sleeps until a handful of events is due
// and never spins. After a hold-up it catches up with at most one tenth of a second's worth, so that a pause does not
// turn into a burst.
#pragma once

#include "event_maker.hh"

#include <sluice/cpp/plugin.hh>

namespace bench {

class Generate {
 public:
  Generate(sluice::HostView host, sluice::ConfigView config);

  sluice_status pull(sluice_writer& out);
  void settle(sluice::SettlementsView) {}
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void stop(std::chrono::milliseconds) { stopped_ = true; }

 private:
  [[nodiscard]] bool done() const { return stopped_ || (count_ > 0 && maker_.made() >= count_); }
  /// How many events may go out now.
  [[nodiscard]] std::uint64_t due();

  sluice::HostView host_;
  EventMaker maker_;
  const std::uint64_t count_;
  const double per_ns_;  // 0 = unlimited
  double tokens_ = 1;
  std::uint64_t filled_ns_ = 0;
  bool stopped_ = false;
};

}  // namespace bench
