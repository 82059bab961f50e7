// Backend `null`: takes events and forgets them. For benchmarks, and for tests of what the host does with slow and
// failing backends: it can hold events for a while and end every n-th one otherwise than delivered.
#pragma once

#include <sluice/cpp/plugin.hh>

#include <deque>

namespace bench {

class Null {
 public:
  Null(sluice::HostView host, sluice::ConfigView config);

  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void stop(std::chrono::milliseconds timeout);

 private:
  struct Held {
    std::uint64_t due_ns, ticket;
    std::uint32_t count;
  };
  void complete(std::uint64_t ticket, std::uint32_t count);
  void complete_due(std::uint64_t now_ns);

  sluice::HostView host_;
  const std::uint64_t latency_ns_;
  const std::uint64_t in_flight_max_;
  const std::uint64_t status_every_;
  const sluice_status status_;
  std::uint64_t ended_ = 0;
  std::uint64_t in_flight_ = 0;
  std::deque<Held> held_;  // by due time: the latency is the same for all
};

}  // namespace bench
