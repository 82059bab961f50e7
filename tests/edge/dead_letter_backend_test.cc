// The local store as the lanes see it: a backend that completes what is on the disk, and is away when it is full; and
// the source that gives letters back.
#include "catch.hh"
#include "core/dead_letter.hh"
#include "core/event_json.hh"
#include "edge/dead_letter_store.hh"
#include "edge/host_classes.hh"
#include "edge/plugin_fixture.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_metrics.hh"

#include <string>
#include <vector>

using namespace sluice;
using namespace plugin_fixture;

namespace {

/// Hears how many events were delivered.
struct Listener final : NodeEvents {
  std::uint32_t delivered = 0, away = 0;
  std::string reason;
  void wake() noexcept override {}
  void complete(std::uint64_t, std::uint32_t count, const sluice_result* result) noexcept override {
    if (result == nullptr) {
      delivered += count;
    } else {
      away += result->status == SLUICE_AWAY ? count : 0;
      reason.assign(result->reason.ptr, result->reason.len);
    }
  }
  void complete_each(std::uint64_t, std::uint32_t, const std::uint8_t*) noexcept override {}
  void explain(std::uint32_t, std::string_view) noexcept override {}
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now; }
  std::uint64_t now = 1;
};

struct World {
  Folder folder;
  MemoryLog log;
  StoppedClock clock;
  PluginMetrics metrics;
  NodeServices services{log, clock, metrics};
  PluginLibrary library{{}};
  Listener ear;
  BlockPool pool;
  BlockRef block = pool.take();
  EventWriter writer;
  std::vector<sluice_event> letters;

  World() { add_host_classes(library); }

  CreatedNode node(NodeKind kind, const std::string& klass, const std::string& config) {
    CreatedNode made = create_node(library.load(kind, klass), {"store", config, 0, 1}, services);
    INFO(made.status.text);
    REQUIRE(made.status.ok());
    made.node()->attach(&ear);
    return made;
  }
  CreatedNode store(std::uint64_t max_bytes = 1 << 20, const std::string& more = "") {
    return node(NodeKind::backend, "dead_letter_store",
                "{\"path\":\"" + folder / "l.db" + "\",\"max_bytes\":" + std::to_string(max_bytes) + ",\"max_age\":0" +
                    more + "}");
  }
  CreatedNode source() {
    return node(NodeKind::source, "dead_letters",
                "{\"path\":\"" + folder / "l.db" +
                    "\",\"numbers\":[],\"node\":\"\",\"reason\":\"\",\"filter\":\"\",\"limit\":0}");
  }
  void letter(const std::string& id) {
    EventParts parts;
    parts.id = id, parts.source = "/s", parts.type = "t";
    REQUIRE_FALSE(check_parts(parts));
    const sluice_event event = writer.write(parts, *block);
    letters.push_back(as_dead_letter(event, {"hook", "why", 500, 2, 1'000'000'000, 2'000'000'000}, writer, *block));
  }
  sluice_status publish(BackendNode& backend, std::uint32_t& taken, std::string& error) {
    const sluice_batch batch{
        sizeof(sluice_batch), static_cast<std::uint32_t>(letters.size()), sizeof(sluice_event), 0, letters.data(), 1};
    taken = 0;
    const sluice_status status = backend.publish(batch, taken, error);
    backend.flush();
    return status;
  }
  double gauge(const std::string& name) {
    for (const MetricSample& sample : metrics.samples()) {
      if (sample.name == name) return sample.value;
    }
    return -1;
  }
};

}  // namespace

TEST_CASE("dead-letter backend: what it completes is in the file, and the metrics say so") {
  World world;
  const CreatedNode made = world.store();
  REQUIRE(made.node()->start(std::chrono::milliseconds(1000)).ok());
  for (const char* id : {"a", "b", "c"}) world.letter(id);
  std::uint32_t taken = 0;
  std::string error;
  CHECK(world.publish(*made.backend, taken, error) == SLUICE_OK);
  CHECK(taken == 3);
  CHECK(world.ear.delivered == 3);
  DeadLetterStore file(world.folder / "l.db", Sqlite::Mode::read_only);
  CHECK(file.totals().letters == 3);
  file.each({}, [](const Letter& letter) {
    CHECK(letter.event_json.find("sluiceerror") == std::string::npos);
    CHECK(letter.death.node == "hook");
    return true;
  });
  Status status;
  (void)made.node()->poll(-1, std::chrono::milliseconds(0), 0, status);
  CHECK(world.gauge("dead_letters") == 3);
  CHECK(world.gauge("dead_letter_bytes") == static_cast<double>(file.totals().bytes));
  CHECK(world.gauge("dead_letter_oldest_age_seconds") > 1e9);
}

TEST_CASE("dead-letter backend: a full store takes what fits, is away for the rest, and goes on after a purge") {
  World world;
  for (const char* id : {"a", "b", "c"}) world.letter(id);
  const CreatedNode made = world.store(150);  // room for two
  REQUIRE(made.node()->start(std::chrono::milliseconds(1000)).ok());
  std::uint32_t taken = 0;
  std::string error;
  CHECK(world.publish(*made.backend, taken, error) == SLUICE_OK);
  CHECK(taken == 3);
  CHECK(world.ear.delivered == 2);
  CHECK(world.ear.away == 1);
  CHECK(world.ear.reason.find("is full (max_bytes: 150") != std::string::npos);
  CHECK(world.ear.reason.find("sluice dlq") != std::string::npos);
  DeadLetterStore file(world.folder / "l.db", Sqlite::Mode::existing);
  CHECK(file.totals().letters == 2);
  CHECK(file.purge({}) == 2);
  CHECK(world.publish(*made.backend, taken, error) == SLUICE_OK);
  CHECK(world.ear.delivered == 4);
}

TEST_CASE("dead-letter backend: a file that cannot be is refused at the start with the key to change") {
  World world;
  write_file(world.folder / "l.db", std::string(4096, 'x'));
  const Status status = world.store().node()->start(std::chrono::milliseconds(1000));
  CHECK(status.code == SLUICE_BAD_CONFIG);
  CHECK(status.text.find("l.db") != std::string::npos);
  CHECK(status.text.find("dead_letters.path") != std::string::npos);
}

TEST_CASE("dead-letter source: only what is settled as delivered leaves the store") {
  World world;
  for (const char* id : {"a", "b", "c", "d"}) world.letter(id);
  const CreatedNode made = world.store();
  REQUIRE(made.node()->start(std::chrono::milliseconds(1000)).ok());
  std::uint32_t taken = 0;
  std::string error;
  REQUIRE(world.publish(*made.backend, taken, error) == SLUICE_OK);

  const CreatedNode source = world.source();
  REQUIRE(source.node()->start(std::chrono::milliseconds(1000)).ok());
  CHECK(source.node()->input_bytes() > 0);
  std::vector<sluice_record> records(8);
  std::vector<std::uint8_t> bytes(4096);
  sluice_writer out{};
  out.size = sizeof out, out.stride = sizeof(sluice_record), out.cap = 8;
  out.records = records.data(), out.bytes = bytes.data(), out.bytes_cap = bytes.size();
  REQUIRE(source.source->pull(out, error) == SLUICE_OK);
  REQUIRE(out.count == 4);
  const std::string_view first(reinterpret_cast<const char*>(records[0].ptr), records[0].len);
  CHECK(first.starts_with(R"({"sluiceredrives":"1",)"));
  const sluice_settlement settled[] = {{records[0].tag, SLUICE_WAS_DELIVERED, 0, {}},
                                       {records[1].tag, SLUICE_WAS_REJECTED, 500, {}},
                                       {records[2].tag, SLUICE_NOT_DELIVERED, 0, {}},
                                       {records[3].tag, SLUICE_WAS_DROPPED, 0, {}}};
  source.source->settle(settled);
  std::string left;
  DeadLetterStore file(world.folder / "l.db", Sqlite::Mode::read_only);
  file.each({}, [&](const Letter& letter) { return left += letter.id, true; });
  CHECK(left == "bcd");
  out.count = 0;
  CHECK(source.source->pull(out, error) == SLUICE_END);
}
