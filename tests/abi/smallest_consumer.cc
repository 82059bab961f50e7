// The smallest consumer: drops events without a subject.
#include <sluice/cpp/plugin.hh>

namespace {
class Smallest {
 public:
  Smallest(sluice::HostView, sluice::ConfigView) {}
  sluice_status process(sluice::BatchView in, std::uint8_t* verdict, sluice_writer*, sluice_error&) {
    for (std::uint32_t i = 0; i < in.size(); ++i) {
      if (in[i].subject().empty()) verdict[i] = SLUICE_TO_DROP;
    }
    return SLUICE_OK;
  }
};
}  // namespace

SLUICE_MODULE(sluice::consumer<Smallest>({.name = "smallest_consumer",
                                          .version = "1.0.0",
                                          .summary = "Drops events without a subject.",
                                          .schema = R"({"type":"object","additionalProperties":false})"}))
