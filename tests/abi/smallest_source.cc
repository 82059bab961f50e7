// The smallest source: one event, then the end.
#include <sluice/cpp/plugin.hh>
#include <sluice/cpp/writer_view.hh>

namespace {
class Smallest {
 public:
  Smallest(sluice::HostView, sluice::ConfigView) {}
  sluice_status pull(sluice_writer& out) {
    if (done_) return SLUICE_END;
    done_ = sluice::WriterView(out).add(R"({"specversion":"1.0","id":"1","type":"hello","source":"/smallest"})", 0);
    return SLUICE_OK;
  }
  void settle(const sluice_settlement&) {}

 private:
  bool done_ = false;
};
}  // namespace

SLUICE_MODULE(sluice::source<Smallest>({.name = "smallest_source",
                                        .version = "1.0.0",
                                        .summary = "One event, then the end.",
                                        .schema = R"({"type":"object","additionalProperties":false})"}))
