// The smallest backend: takes every event and forgets it.
#include <sluice/cpp/plugin.hh>

namespace {
class Smallest {
 public:
  Smallest(sluice::HostView host, sluice::ConfigView) : host_(host) {}
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken) {
    taken = batch.size();
    host_.complete(batch.ticket(), taken);
    return SLUICE_OK;
  }

 private:
  sluice::HostView host_;
};
}  // namespace

SLUICE_MODULE(sluice::backend<Smallest>({.name = "smallest_backend",
                                         .version = "1.0.0",
                                         .summary = "Takes every event and forgets it.",
                                         .schema = R"({"type":"object","additionalProperties":false})"}))
