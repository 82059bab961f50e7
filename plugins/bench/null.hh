// Backend `null`: takes everything and forgets it. For benchmarks and tests.
#pragma once
#include <sluice/cpp/plugin.hh>

namespace bench {

class Null {
 public:
  Null(sluice::HostView host, sluice::ConfigView) : host_(host) {}
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken) {
    taken = batch.size();
    host_.complete(batch.ticket(), taken);
    return SLUICE_OK;
  }

 private:
  sluice::HostView host_;
};

}  // namespace bench
