// Museum piece: an inline consumer in C++ of the day the layout was sealed. Every tenth event it rejects with a reason,
// and after every hundredth it adds one of its own on a second port.
#include <sluice/cpp/plugin.hh>
#include <sluice/cpp/writer_view.hh>

#include <cstdint>
#include <string>

namespace {

class Marks {
 public:
  Marks(sluice::HostView host, sluice::ConfigView config)
      : host_(host), every_(static_cast<std::uint64_t>(config.integer("reject_every"))) {}

  sluice_status process(sluice::BatchView in, std::uint8_t* verdict, sluice_writer* out, sluice_error&) {
    for (std::uint32_t i = 0; i < in.size(); ++i) {
      ++seen_;
      if (seen_ % every_ == 0) {
        verdict[i] = SLUICE_TO_REJECT;
        host_.explain(i, "number " + std::string(in[i].id()) + " is not wanted");
      }
      if (seen_ % 100 == 0) {
        const std::string text = R"({"specversion":"1.0","id":"mark-)" + std::to_string(seen_) +
                                 R"(","source":"/museum/marks","type":"museum.mark"})";
        (void)sluice::WriterView(*out).emit(text, i, 1);
      }
    }
    return SLUICE_OK;
  }

 private:
  sluice::HostView host_;
  const std::uint64_t every_;
  std::uint64_t seen_ = 0;
};

constexpr const char* kPorts[] = {"marks", nullptr};

}  // namespace

SLUICE_MODULE(sluice::consumer<Marks>(
    {.name = "museum_consumer",
     .version = "1.0.0",
     .summary = "Rejects and marks.",
     .schema =
         R"({"type":"object","additionalProperties":false,"properties":{"reject_every":{"type":"integer","default":10}}})",
     .flags = SLUICE_EMITS,
     .ports = kPorts}))
