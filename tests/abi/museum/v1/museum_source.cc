// Museum piece: a source in C++ of the day the layout was sealed. It numbers its events, is settled in order, and says
// in the summary how many records were told delivered.
#include <sluice/cpp/plugin.hh>
#include <sluice/cpp/writer_view.hh>

#include <cstdint>
#include <string>

namespace {

class Numbers {
 public:
  Numbers(sluice::HostView host, sluice::ConfigView config)
      : host_(host),
        count_(static_cast<std::uint64_t>(config.integer("count"))),
        settled_(host.cell(SLUICE_COUNTER, "museum_settled_total", "Records settled, by the museum's source.")) {}

  sluice_status pull(sluice_writer& out) {
    sluice::WriterView writer(out);
    while (next_ < count_) {
      const std::string number = std::to_string(next_);
      const std::string text = R"({"specversion":"1.0","id":")" + number +
                               R"(","source":"/museum","type":"museum.number","data":{"n":)" + number + "}}";
      position_ = "number:" + number;
      if (!writer.add(text, next_, position_)) return SLUICE_OK;
      ++next_;
      if (writer.room() == 0) return SLUICE_OK;
    }
    return SLUICE_END;
  }
  void settle(sluice::SettlementsView all) {
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      in_order_ = in_order_ && all[i].tag == expected_++;
      if (all[i].outcome == SLUICE_WAS_DELIVERED) ++delivered_;
      if (all[i].outcome == SLUICE_WAS_REJECTED) ++rejected_;
    }
    sluice::add(settled_, all.size());
  }
  std::string summary() {
    return "museum: " + std::to_string(delivered_) + " delivered, " + std::to_string(rejected_) + " rejected, " +
           (in_order_ ? "in order" : "out of order");
  }

 private:
  sluice::HostView host_;
  const std::uint64_t count_;
  std::uint64_t next_ = 0, expected_ = 0, delivered_ = 0, rejected_ = 0;
  bool in_order_ = true;
  std::string position_;
  sluice_cell* settled_;
};

}  // namespace

SLUICE_MODULE(sluice::source<Numbers>(
    {.name = "museum_source",
     .version = "1.0.0",
     .summary = "Numbers from 0.",
     .schema =
         R"({"type":"object","additionalProperties":false,"properties":{"count":{"type":"integer","default":10}}})",
     .flags = SLUICE_IN_ORDER}))
