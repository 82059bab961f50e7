#include "edge/plugin_node.hh"
#include "catch.hh"
#include "core/limits.hh"
#include "edge/plugin_check/guarded_batch.hh"
#include "edge/plugin_config.hh"
#include "edge/plugin_fixture.hh"
#include "edge/plugin_metrics.hh"

#include <sluice/cpp/plugin.hh>

using namespace sluice;
using namespace plugin_fixture;
using Catch::Matchers::Contains;

namespace {

struct World {
  MemoryLog log;
  StoppedClock clock;
  PluginMetrics metrics;
  NodeServices services{log, clock, metrics};
};

/// Does what the test tells it, and keeps its host for calls at odd times.
struct Puppet {
  explicit Puppet(HostView host, ConfigView config) : host(host), mode(config.text("mode")) {
    last_host = &host.raw();
    if (mode == "bad") throw BadConfig("mode cannot be bad");
    if (mode == "early") host.complete(1);
  }
  sluice_status publish(BatchView batch, std::uint32_t& taken) {
    taken = batch.size();
    if (mode == "throw") throw std::runtime_error("no");
    if (mode == "away") throw Away("nobody\nthere\xff");
    if (mode == "status") return 4711;
    host.complete(batch.ticket(), taken, SLUICE_REJECTED, std::string(5000, 'r'), 413);
    return SLUICE_OK;
  }
  void start(std::chrono::milliseconds timeout) { started_with = timeout; }
  std::string summary() { return "one line\n"; }
  HostView host;
  std::string mode;
  static inline const sluice_host* last_host = nullptr;
  static inline std::chrono::milliseconds started_with{};
};
constexpr sluice_class kPuppet = backend<Puppet>({.name = "puppet", .version = "1", .summary = "", .schema = "{}"});

struct Judge {
  Judge(HostView host, ConfigView) : host(host) {}
  sluice_status process(BatchView in, std::uint8_t* verdict, sluice_writer*, sluice_error& error) {
    verdict[0] = SLUICE_TO_REJECT;
    host.explain(0, "not today");
    put(&error, "halted by " + std::string(in[0].type()));
    return SLUICE_HALT;
  }
  std::uint32_t tick(std::uint64_t now_ns, sluice_writer*) { return static_cast<std::uint32_t>(now_ns); }
  HostView host;
};
constexpr sluice_class kJudge =
    consumer<Judge>({.name = "judge", .version = "1", .summary = "", .schema = "{}", .flags = SLUICE_EMITS});

LoadedClass loaded(const sluice_class& table, NodeKind kind) {
  static ClassDescription descriptions[2];
  ClassDescription& description = descriptions[kind == NodeKind::backend ? 1 : 0];
  description.kind = kind;
  description.name = table.name;
  return {&description, &table, "test.so"};
}

CreatedNode puppet(World& world, const std::string& mode) {
  return create_node(loaded(kPuppet, NodeKind::backend), {"out", R"({"mode":")" + mode + "\"}", 2, 3}, world.services);
}

}  // namespace

TEST_CASE("node: create() reads its configuration and sees its seat", "[edge][plugin]") {
  World world;
  const CreatedNode made = puppet(world, "plain");
  REQUIRE(made.status.ok());
  REQUIRE(made.backend != nullptr);
  CHECK(std::string(Puppet::last_host->node) == "out");
  CHECK(Puppet::last_host->replica == 2);
  CHECK(Puppet::last_host->replicas == 3);
  CHECK(Puppet::last_host->service(Puppet::last_host, "sluice.none/1") == nullptr);
  CHECK(Puppet::last_host->now_ns(Puppet::last_host) == 77);
  CHECK(Puppet::last_host->log_level(Puppet::last_host) == SLUICE_LOG_INFO);
  CHECK(made.node()->start(std::chrono::hours(24 * 365)).ok());
  CHECK(Puppet::started_with.count() == std::numeric_limits<std::int32_t>::max());
  CHECK(made.node()->summary() == "one line\n");
  Status status;
  CHECK_FALSE(made.node()->polls());
  CHECK_FALSE(made.node()->poll(-1, std::chrono::milliseconds(0), 0, status));
}

TEST_CASE("node: a configuration that the plugin refuses is told with its text", "[edge][plugin]") {
  World world;
  const CreatedNode made = puppet(world, "bad");
  CHECK(made.node() == nullptr);
  CHECK(made.status.code == SLUICE_BAD_CONFIG);
  CHECK(made.status.text == "mode cannot be bad");
}

TEST_CASE("node: completions reach the ear, with reasons cut to their bound", "[edge][plugin]") {
  World world;
  Ear ear;
  const CreatedNode made = puppet(world, "plain");
  made.node()->attach(&ear);
  const check::GuardedBatch batch(3, 10, 1, 1);
  std::uint32_t taken = 0;
  std::string error;
  CHECK(made.backend->publish(batch.view(), taken, error) == SLUICE_OK);
  CHECK(taken == 3);
  REQUIRE(ear.completions.size() == 1);
  CHECK(ear.completions[0].ticket == 10);
  CHECK(ear.completions[0].status == SLUICE_REJECTED);
  CHECK(ear.completions[0].reason.size() == limits::kReasonBytes);
  CHECK(made.node()->breaches() == 0);
  CHECK(Puppet::last_host->now_ns(Puppet::last_host) == 99);
}

TEST_CASE("node: what a plugin throws becomes FAILED, is counted and named, and nothing is asked of it again",
          "[edge][plugin]") {
  World world;
  const sluice_class table = [] {
    sluice_class raw = kPuppet;  // without the C++ layer's wall
    static sluice_backend calls{sizeof(sluice_backend), 0,
                                [](sluice_node*, const sluice_batch*, std::uint32_t*, sluice_error*) -> sluice_status {
                                  throw std::runtime_error("over the border");
                                },
                                nullptr};
    raw.backend = &calls;
    return raw;
  }();
  Ear ear;
  CreatedNode made = create_node(loaded(table, NodeKind::backend), {"out", R"({"mode":""})", 0, 1}, world.services);
  REQUIRE(made.status.ok());
  made.node()->attach(&ear);
  const check::GuardedBatch batch(1, 1, 1, 1);
  std::uint32_t taken = 0;
  std::string error;
  CHECK(made.backend->publish(batch.view(), taken, error) == SLUICE_FAILED);
  CHECK(error == "publish() threw: over the border");
  CHECK(made.node()->breaches() == 1);
  CHECK(made.backend->publish(batch.view(), taken, error) == SLUICE_FAILED);
  CHECK_THAT(error, Contains("earlier"));
  REQUIRE(world.log.lines.size() == 1);
  CHECK(world.log.lines[0] ==
        "Plugin broke the contract: an exception that left the plugin node=out module=test.so call=publish");
}

TEST_CASE("node: texts from the plugin become one clean line", "[edge][plugin]") {
  World world;
  Ear ear;
  const CreatedNode made = puppet(world, "away");
  made.node()->attach(&ear);
  const check::GuardedBatch batch(1, 1, 1, 1);
  std::uint32_t taken = 0;
  std::string error;
  CHECK(made.backend->publish(batch.view(), taken, error) == SLUICE_AWAY);
  CHECK(error == "nobody there?");
  CHECK(clean_text("gr\xc3\xbc\xc3\x9f", 5) == "gr\xc3\xbc");  // not cut inside a character
  CHECK(clean_text("a\x01"
                   "b \n",
                   100) == "a b");
}

TEST_CASE("node: a status that does not exist counts as FAILED", "[edge][plugin]") {
  World world;
  const CreatedNode made = puppet(world, "status");
  const check::GuardedBatch batch(1, 1, 1, 1);
  std::uint32_t taken = 0;
  std::string error;
  CHECK(made.backend->publish(batch.view(), taken, error) == SLUICE_FAILED);
  CHECK(error == "publish() answered the unknown status 4711");
  CHECK(made.node()->breaches() == 1);
}

TEST_CASE("node: calls before attach() and after destroy() change nothing and are counted", "[edge][plugin]") {
  World world;
  Ear ear;
  CreatedNode made = puppet(world, "early");
  CHECK(made.node()->breaches() == 1);
  made.node()->attach(&ear);
  const sluice_host* host = Puppet::last_host;
  made = {};
  host->wake(host);
  host->complete(host, 1, 1, nullptr);
  host->explain(host, 0, {"x", 1});
  host->log(host, SLUICE_LOG_ERROR, {"x", 1});
  CHECK(host->log_level(host) > SLUICE_LOG_ERROR);
  CHECK(ear.completions.empty());
  CHECK(ear.wakes == 0);
  CHECK(static_cast<PluginHost*>(host->self)->breaches() == 4);
  CHECK(world.log.lines.size() == 1);  // the early one; after destroy() the log may be gone
}

TEST_CASE("node: a result table of an older or a made-up size is read only as far as it goes", "[edge][plugin]") {
  World world;
  Ear ear;
  const CreatedNode made = puppet(world, "plain");
  made.node()->attach(&ear);
  const sluice_host* host = Puppet::last_host;
  sluice_result result{8, 0, SLUICE_OK, 0, {nullptr, 0}};
  host->complete(host, 1, 1, &result);
  result = {sizeof result, 0, -5, 0, {nullptr, 99}};
  host->complete(host, 2, 1, &result);
  REQUIRE(ear.completions.size() == 2);
  CHECK(ear.completions[0].status == SLUICE_FAILED);
  CHECK(ear.completions[1].status == SLUICE_FAILED);
  CHECK(ear.completions[1].reason.empty());
  CHECK(made.node()->breaches() == 2);
}

TEST_CASE("node: a consumer's verdict, reason and halt text arrive", "[edge][plugin]") {
  World world;
  Ear ear;
  const CreatedNode made = create_node(loaded(kJudge, NodeKind::consumer), {"judge", "{}", 0, 1}, world.services);
  REQUIRE(made.consumer != nullptr);
  CHECK(made.consumer->emits());
  CHECK(made.consumer->ticks());
  CHECK_FALSE(made.consumer->wants_settled());
  made.node()->attach(&ear);
  const check::GuardedBatch batch(1, 0, 1, 1);
  std::uint8_t verdict = 0;
  std::string error;
  CHECK(made.consumer->process(batch.view(), &verdict, nullptr, error) == SLUICE_HALT);
  CHECK(verdict == SLUICE_TO_REJECT);
  CHECK_THAT(error, Contains("halted by "));
  REQUIRE(ear.explained.size() == 1);
  CHECK(ear.explained[0].second == "not today");
  CHECK(made.consumer->tick(42, nullptr) == 42);
}

TEST_CASE("node: probe works without start, and a class without one says so", "[edge][plugin]") {
  World world;
  const Status status = probe_node(loaded(kJudge, NodeKind::consumer), {"judge", "{}", 0, 1}, world.services,
                                   std::chrono::milliseconds(1));
  CHECK(status.code == SLUICE_UNSUPPORTED);
}

TEST_CASE("config: values by path, with types that forgive", "[edge][plugin]") {
  const PluginConfig config(R"({"a":{"b":[10,"x",2.5,true,null]},"k/e~y":"v","big":18446744073709551615,"empty":""})");
  const sluice_config& table = config.table();
  CHECK(table.integer(&table, "a/b/0") == 10);
  CHECK(std::string(table.text(&table, "a/b/0")) == "10");
  CHECK(std::string(table.text(&table, "a/b/1")) == "x");
  CHECK(table.number(&table, "a/b/2") == 2.5);
  CHECK(table.integer(&table, "a/b/2") == 2);
  CHECK(table.integer(&table, "a/b/3") == 1);
  CHECK(table.has(&table, "a/b/4") == 0);
  CHECK(table.has(&table, "empty") == 1);
  CHECK(table.count(&table, "a/b") == 5);
  CHECK(table.count(&table, "") == 4);
  CHECK(std::string(table.name(&table, "", 1)) == "k/e~y");
  CHECK(std::string(table.text(&table, "k~1e~0y")) == "v");
  CHECK(table.integer(&table, "big") == std::numeric_limits<std::int64_t>::max());
  for (const char* path : {"nothing", "a/b/9", "a/b/x", "a/b/01", "a~2", "/", "a/b/-", "a/b/99999999999999999999"}) {
    CHECK(std::string(table.text(&table, path)).empty());
    CHECK(table.integer(&table, path) == 0);
    CHECK(table.count(&table, path) == 0);
    CHECK(table.has(&table, path) == 0);
    CHECK(std::string(table.name(&table, path, 0)).empty());
  }
  CHECK(table.has(&table, nullptr) == 0);
}

TEST_CASE("metrics: same name and labels give the same cell; the bound, bad names and other kinds give none",
          "[edge][plugin]") {
  PluginMetrics metrics;
  metrics.add_user("a");
  sluice_cell* cell = metrics.cell("a", SLUICE_COUNTER, "events_total", "help", {{"type", "x"}});
  REQUIRE(cell != nullptr);
  add(cell, 3);
  CHECK(metrics.cell("a", SLUICE_COUNTER, "events_total", "", {{"type", "x"}}) == cell);
  CHECK(metrics.cell("b", SLUICE_COUNTER, "events_total", "", {{"type", "x"}}) != cell);
  CHECK(metrics.cell("a", SLUICE_GAUGE, "events_total", "", {}) == nullptr);
  CHECK(metrics.cell("a", 7, "other", "", {}) == nullptr);
  CHECK(metrics.cell("a", SLUICE_COUNTER, "9lives", "", {}) == nullptr);
  CHECK(metrics.cell("a", SLUICE_COUNTER, "fine_total", "", {{"node", "mine"}}) == nullptr);
  set(metrics.cell("a", SLUICE_GAUGE, "rate", "", {}), 0.5);
  const auto samples = metrics.samples();
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].name == "events_total");
  CHECK(samples[0].node == "a");
  CHECK(samples[0].value == 3);
  CHECK(samples[2].value == 0.5);
  std::uint32_t more = 0;
  while (metrics.cell("a", SLUICE_COUNTER, "many_total", "", {{"n", std::to_string(more)}}) != nullptr) ++more;
  CHECK(more == limits::kSeriesPerNode - 2);
  metrics.remove_user("a");
  CHECK(metrics.samples().size() == 1);
}
