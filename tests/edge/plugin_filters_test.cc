// The host's filters as a plugin sees them, over the C table and the C++ layer.
#include "edge/plugin_filters.hh"

#include "catch.hh"
#include "core/block.hh"
#include "core/decode.hh"
#include "core/event_format.hh"

#include <sluice/cpp/filter.hh>

#include <string>

using namespace sluice;

namespace {

const sluice_host& host() {
  static const sluice_host made = [] {
    sluice_host table{};
    table.size = sizeof table;
    table.service = [](const sluice_host*, const char* id) -> const void* {
      return std::string(id) == SLUICE_FILTERS ? &plugin_filters() : nullptr;
    };
    return table;
  }();
  return made;
}

struct Event {
  BlockPool pool;
  BlockRef block = pool.take();
  explicit Event(const std::string& type) {
    const std::string_view json =
        block->keep(R"({"specversion":"1.0","id":"1","source":"/s","type":")" + type + R"(","n":7})");
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(json.data());
    record.len = json.size();
    Decoder decoder(cloudevents_format(), {});
    REQUIRE_FALSE(decoder.decode(record, {}, *block));
  }
  [[nodiscard]] EventView view() const { return EventView(block->events.front()); }
};

}  // namespace

TEST_CASE("plugin filters: rules of a plugin pick events as `when:` does") {
  const HostFilter filter(HostView(host()), R"([{"types":["run.*"]},{"sql":"n > 5"}])");
  CHECK(filter.matches(Event("run.failed").view()));
  CHECK_FALSE(filter.matches(Event("walk.failed").view()));
}

TEST_CASE("plugin filters: a bad filter is refused with the path of its bad part") {
  try {
    const HostFilter filter(HostView(host()), R"({"any":[{"sql":"type = "}]})");
    FAIL("it was taken");
  } catch (const BadConfig& error) {
    CHECK(std::string(error.what()).find("any[0].sql: at byte 7: a value is missing") != std::string::npos);
  }
}
