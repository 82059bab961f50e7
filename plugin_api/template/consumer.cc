// Module @NAME@: consumer `@NAME@`. It judges every event; put your rule into passes().
#include <sluice/cpp/plugin.hh>

extern const char schema_json[];  // schema.json, compiled in

namespace {

class @CLASS@ {
 public:
  // Read the configuration here. Throw sluice::BadConfig for what the schema cannot say.
  @CLASS@(sluice::HostView host, sluice::ConfigView config) : host_(host), prefix_(config.text("type_prefix")) {}

  // Runs on the data path: it must not block. One verdict per event; 0, which is there already, passes it on. With
  // SLUICE_OBSERVER in the class's flags there are no verdicts, and it may block: it has a thread of its own.
  sluice_status process(sluice::BatchView in, std::uint8_t* verdict, sluice_writer*, sluice_error&) {
    for (std::uint32_t i = 0; i < in.size(); ++i) {
      if (passes(in[i])) continue;
      verdict[i] = SLUICE_TO_DROP;  // or SLUICE_TO_REJECT, with host_.explain(i, "why")
    }
    return SLUICE_OK;
  }

 private:
  [[nodiscard]] bool passes(sluice::EventView event) const {
    return event.type().substr(0, prefix_.size()) == prefix_;
  }

  sluice::HostView host_;
  std::string prefix_;
};

}  // namespace

SLUICE_MODULE(sluice::consumer<@CLASS@>({.name = "@NAME@",
                                         .version = "0.1.0",
                                         .summary = "Drops events whose type does not start with a prefix.",
                                         .schema = schema_json}))
