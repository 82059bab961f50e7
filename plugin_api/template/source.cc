// Module @NAME@: source `@NAME@`. It makes events up; put the place where yours come from into pull().
#include <sluice/cpp/plugin.hh>
#include <sluice/cpp/writer_view.hh>

extern const char schema_json[];  // schema.json, compiled in

namespace {

class @CLASS@ {
 public:
  // Read the configuration here; connect or listen in start(). Throw sluice::BadConfig for what the schema cannot say.
  @CLASS@(sluice::HostView, sluice::ConfigView config) : count_(config.integer("count")) {}

  // Never blocks: hand over what is there. SLUICE_AGAIN when nothing is there now; poll() is the place to wait.
  // The tag is yours: it comes back in settle().
  sluice_status pull(sluice_writer& out) {
    sluice::WriterView writer(out);
    while (next_ < count_ && writer.room() > 0) {
      const std::string id = std::to_string(next_);
      if (!writer.add(R"({"specversion":"1.0","type":"@NAME@.made","source":"/@NAME@","id":")" + id + "\"}", next_)) break;
      ++next_;
    }
    return next_ == count_ && writer.size() == 0 ? SLUICE_END : SLUICE_OK;
  }

  // Each record once, when it is final: acknowledge it to where it came from, unless it says SLUICE_NOT_DELIVERED.
  void settle(const sluice_settlement& record) {
    if (record.outcome != SLUICE_NOT_DELIVERED) ++settled_;
  }

 private:
  std::int64_t count_;
  std::int64_t next_ = 0;
  std::int64_t settled_ = 0;
};

}  // namespace

SLUICE_MODULE(sluice::source<@CLASS@>({.name = "@NAME@",
                                       .version = "0.1.0",
                                       .summary = "Makes a number of events and ends.",
                                       .schema = schema_json,
                                       .flags = SLUICE_CANNOT_HOLD}))
