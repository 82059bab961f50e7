// Module @NAME@: backend `@NAME@`. It hands every event to deliver(); put your protocol there.
#include <sluice/cpp/plugin.hh>

extern const char schema_json[];  // schema.json, compiled in

namespace {

class @CLASS@ {
 public:
  // Read the configuration here; connect in start(). Throw sluice::BadConfig for what the schema cannot say.
  @CLASS@(sluice::HostView host, sluice::ConfigView config) : host_(host), prefix_(config.text("prefix")) {}

  // Take as many events as you can, from the front, and say how many. Each one taken is completed once, here or later.
  // Queueing, retry, rate limits and dead letters are the host's. Throw sluice::Away when the far side is not there.
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken) {
    for (sluice::EventView event : batch) {
      deliver(event);
      host_.complete(batch.ticket() + taken);  // or: host_.complete(ticket, 1, SLUICE_REJECTED, "too large", 413);
      ++taken;
    }
    return SLUICE_OK;
  }

 private:
  void deliver(sluice::EventView event) {
    if (host_.logs(SLUICE_LOG_DEBUG)) host_.log(SLUICE_LOG_DEBUG, prefix_ + std::string(event.json()));
  }

  sluice::HostView host_;
  std::string prefix_;
};

}  // namespace

SLUICE_MODULE(sluice::backend<@CLASS@>({.name = "@NAME@",
                                        .version = "0.1.0",
                                        .summary = "Writes every event to the log at level debug.",
                                        .schema = schema_json}))
