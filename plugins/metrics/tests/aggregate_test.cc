// Consumer aggregate as the host drives it, on a clock that the test moves.
#include "catch.hh"
#include "plugin_rig.hh"

#include <cmath>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace {

std::uint64_t allocations = 0;

}  // namespace

// Not inlined: the compiler would see malloc and free in one place and new and delete in another.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* made = std::malloc(bytes)) return made;
  throw std::bad_alloc();
}
// Libraries call this one, too, and give back by the same delete.
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes);
}
[[gnu::noinline]] void operator delete(void* made) noexcept { std::free(made); }
[[gnu::noinline]] void operator delete(void* made, std::size_t) noexcept { std::free(made); }

namespace {

using rig::json;

const sluice_class& aggregate_class() { return rig::class_of(*sluice_module_v1(), "aggregate"); }

std::string event(const std::string& type, const std::string& data = "{}", const std::string& more = "") {
  return R"({"specversion":"1.0","id":"1","source":"/s","type":")" + type + "\"" + more + R"(,"data":)" + data + "}";
}
std::string at(const std::string& time, const std::string& type = "a") {
  return event(type, "{}", R"(,"time":"2026-01-02T)" + time + "Z\"");
}

struct Rigged {
  explicit Rigged(const std::string& config) : node(aggregate_class(), config, host) {}
  std::vector<json> process(const std::vector<std::string>& texts) {
    const rig::Batch batch(texts);
    rig::Writer out(64, 1 << 20);
    std::vector<std::uint8_t> verdict;
    REQUIRE(node.process(batch, verdict, &out) == SLUICE_OK);
    for (const std::uint8_t one : verdict) CHECK(one == 0);
    return told(out);
  }
  std::vector<json> tick(std::uint64_t after_ms = 0) {
    host.advance_ms(after_ms);
    rig::Writer out(64, 1 << 20);
    again_ms = node.tick(host.clock_ns, &out);
    return told(out);
  }
  static std::vector<json> told(const rig::Writer& out) {
    std::vector<json> all;
    for (std::uint32_t i = 0; i < out.count; ++i) {
      CHECK(out[i].parent == SLUICE_NO_PARENT);
      all.push_back(json::parse(out.text(i)));
    }
    return all;
  }
  double value(const std::string& series) {
    const sluice_cell* cell = host.cell(series);
    INFO(series);
    REQUIRE(cell != nullptr);
    return cell->value;
  }
  rig::Host host;
  rig::Node node;
  std::uint32_t again_ms = 0;
};

}  // namespace

TEST_CASE("aggregate: a window's count, rate, mean and percentiles reach /metrics and an event, by type and label",
          "[metrics]") {
  Rigged w(R"({"window":10000,"label":{"name":"lab","from":"/lab"},"fields":[{"pointer":"/ms","name":"took"}],
      "emit":{}})");
  std::vector<std::string> texts{event("b", R"({"lab":"x","ms":"slow"})")};
  for (int i = 1; i <= 20; ++i) texts.push_back(event("a", R"({"ms":)" + std::to_string(i) + R"(,"lab":7})"));
  CHECK(w.process(texts).empty());
  CHECK(w.tick(9999).empty());
  CHECK(w.again_ms == 1);
  const auto told = w.tick(1);
  CHECK(w.again_ms == 10'000);
  REQUIRE(told.size() == 2);
  CHECK(told[0]["data"]["fields"] == json::parse(R"({"took":{"count":0}})"));
  const json& a = told[1];
  CHECK(a["type"] == "metrics.window");
  CHECK(a["source"] == "/sluice/test");
  CHECK(a["subject"] == "7");
  CHECK(a["time"] == a["data"]["end"]);
  CHECK(a["data"]["seconds"] == 10);
  CHECK(a["data"]["type"] == "a");
  CHECK(a["data"]["lab"] == "7");
  CHECK(a["data"]["count"] == 20);
  CHECK(a["data"]["rate"] == 2);
  const json& took = a["data"]["fields"]["took"];
  CHECK(took["count"] == 20);
  CHECK(took["sum"] == 210);
  CHECK(took["mean"] == 10.5);
  CHECK(took["min"] == 1);
  CHECK(took["max"] == 20);
  CHECK(took["p50"].get<double>() == Approx(10).epsilon(0.016));
  CHECK(took["p95"].get<double>() == Approx(19).epsilon(0.016));
  CHECK(took["p99"].get<double>() == Approx(20).epsilon(0.016));
  CHECK(w.value(R"(window_events{type="a",lab="7"})") == 20);
  CHECK(w.value(R"(window_events{type="b",lab="x"})") == 1);
  CHECK(w.value(R"(window_events_per_second{type="a",lab="7"})") == 2);
  CHECK(w.value(R"(window_field_values{type="a",lab="7",field="took"})") == 20);
  CHECK(w.value(R"(window_field_mean{type="a",lab="7",field="took"})") == 10.5);
  CHECK(w.value(R"(window_field_quantile{type="a",lab="7",field="took",quantile="0.95"})") ==
        Approx(19).epsilon(0.016));
  // A window without events is shown as such, and no event tells of it.
  CHECK(w.tick(10'000).empty());
  CHECK(w.value(R"(window_events{type="a",lab="7"})") == 0);
  CHECK(std::isnan(w.value(R"(window_field_mean{type="a",lab="7",field="took"})")));
}

TEST_CASE("aggregate: windows that overlap end with every slide, and are told at the interval", "[metrics]") {
  Rigged w(R"({"window":3000,"slide":1000,"by_type":false,"emit":{"type":"load","interval":2000}})");
  CHECK(w.process({event("a"), event("b")}).empty());
  w.host.advance_ms(1500);
  CHECK(w.process({event("a")}).empty());
  CHECK(w.tick(1500).empty());  // 0 to 3 s is closed, but not told: the interval is 2 s
  CHECK(w.value("window_events") == 3);
  const auto told = w.tick(1000);
  REQUIRE(told.size() == 1);
  CHECK(told[0]["type"] == "load");
  CHECK(told[0]["data"]["count"] == 1);
  CHECK_FALSE(told[0]["data"].contains("type"));
  CHECK(w.tick(1000).empty());
}

TEST_CASE("aggregate: by event time a window closes when newer events and the lateness are past it", "[metrics]") {
  Rigged w(R"({"window":10000,"time":"event","lateness":5000,"types":["a"],"emit":{}})");
  CHECK(w.process({at("10:00:01"), at("10:00:14"), at("10:00:09"), at("10:00:14", "b")}).empty());
  const auto told = w.process({at("10:00:15"), at("10:00:09"), event("a")});
  REQUIRE(told.size() == 1);
  CHECK(told[0]["data"]["start"] == "2026-01-02T10:00:00.000Z");
  CHECK(told[0]["time"] == "2026-01-02T10:00:10.000Z");
  CHECK(told[0]["data"]["count"] == 2);
  CHECK(told[0]["id"] == "test-1767348010000-a");
  CHECK(w.host.cell("window_late_events_total")->count == 1);
  CHECK(w.host.cell("window_untimed_events_total")->count == 1);
  // Nothing more comes: the window of the newest event closes by the host's clock.
  CHECK(w.tick(14'999).empty());
  const auto rest = w.tick(1);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0]["data"]["count"] == 2);
}

TEST_CASE("aggregate: an event from the far future neither counts nor closes what others are in", "[metrics]") {
  Rigged w(R"({"window":10000,"time":"event","emit":{}})");
  CHECK(w.process({at("10:00:01"), event("a", "{}", R"(,"time":"2126-01-02T10:00:00Z")"), at("10:00:02")}).empty());
  CHECK(w.host.cell("window_untimed_events_total")->count == 1);
  CHECK(w.host.logged("ahead_max"));
  CHECK(w.process({at("10:01:00")}).at(0)["data"]["count"] == 2);
}

TEST_CASE("aggregate: labels and types beyond their bounds count as other, and it is said once", "[metrics]") {
  Rigged w(R"({"window":1000,"types_max":1,"label":{"name":"user","from":"user","values_max":2}})");
  const auto of = [](const std::string& type, const std::string& user) {
    return event(type, "{}", R"(,"user":")" + user + "\"");
  };
  for (int round = 0; round < 2; ++round) {
    w.process({of("a", "u1"), of("a", "u2"), of("a", "u3"), of("b", "u1"), of("b", std::string(200, 'x'))});
  }
  (void)w.tick(1000);
  CHECK(w.value(R"(window_events{type="a",user="u1"})") == 2);
  CHECK(w.value(R"(window_events{type="a",user="other"})") == 2);
  CHECK(w.value(R"(window_events{type="other",user="u1"})") == 2);
  CHECK(w.value(R"(window_events{type="other",user="other"})") == 2);
  CHECK(w.host.cell("window_other_total")->count == 8);
  std::size_t said = 0;
  for (const auto& [level, text] : w.host.logs) said += text.find("counted as other") != std::string::npos ? 1 : 0;
  CHECK(said == 1);
}

TEST_CASE("aggregate: no more series than the host has room to show, the last for everything else", "[metrics]") {
  Rigged w(R"({"window":1000,"types_max":50,"label":{"name":"k","from":"/k","values_max":48},
      "fields":[{"pointer":"/a"},{"pointer":"/b"},{"pointer":"/c"}],"emit":{}})");  // 17 figures: 58 series
  std::vector<std::string> texts;
  for (int type = 0; type < 20; ++type) {
    for (int k = 0; k < 10; ++k)
      texts.push_back(event("t" + std::to_string(type), R"({"k":)" + std::to_string(k) + "}"));
  }
  w.process(texts);
  const auto told = w.tick(1000);
  CHECK(told.size() == 58);
  CHECK(told.back()["data"]["type"] == "other");
  CHECK(told.back()["data"]["count"] == 200 - 57);
  CHECK(w.host.cell("window_other_total")->count == 200 - 57);
}

TEST_CASE("aggregate: window events that do not fit into one call leave with the next ones", "[metrics]") {
  Rigged w(R"({"window":1000,"types_max":100,"quantiles":[],"emit":{}})");
  std::vector<std::string> texts;
  for (int type = 0; type < 100; ++type) texts.push_back(event("t" + std::to_string(type)));
  w.process(texts);
  w.host.advance_ms(1000);
  rig::Writer out(64, 1 << 20);
  out.grow = [](sluice_writer*, std::uint32_t, std::uint64_t) -> std::int32_t { return 0; };
  CHECK(w.node.tick(w.host.clock_ns, &out) == 1);
  CHECK(out.count == 64);
  CHECK(w.tick().size() == 36);
}

TEST_CASE("aggregate: percentiles whose memory is used up are said once, the rest is counted", "[metrics]") {
  Rigged w(R"({"window":60000,"slide":1000,"fields":[{"pointer":"/n"}],"memory":65536})");  // 8 octaves of 61 panes
  std::vector<std::string> texts;
  for (int power = 0; power < 12; ++power) texts.push_back(event("a", R"({"n":)" + std::to_string(1 << power) + "}"));
  w.process(texts);
  CHECK(w.host.cell("window_unsketched_values_total")->count == 4);
  CHECK(w.host.logged("memory: used up"));
  (void)w.tick(60'000);
  CHECK(w.value(R"(window_field_values{type="a",field="/n"})") == 12);
}

TEST_CASE("aggregate: settings that do not go together are refused by their key", "[metrics]") {
  const auto refused = [](const std::string& config, const std::string& why) {
    rig::Host host;
    CHECK_THROWS_WITH(rig::Node(aggregate_class(), config, host), Catch::Contains(why));
  };
  refused(R"({"window":10000,"slide":3000})", "slide: the window (10000 ms) must be a multiple");
  refused(R"({"window":100000,"slide":1000})", "60 times at most");
  refused(R"({"lateness":1000})", "lateness: only with 'time: event'");
  refused(R"({"ahead_max":1000})", "ahead_max: only with");
  refused(R"({"time":"event","window":100,"lateness":60000})", "lateness: at most 240 times");
  refused(R"({"emit":{"interval":90000}})", "emit/interval: must be a multiple");
  refused(R"({"label":{"name":"quantile","from":"/q"}})", "label/name: 'quantile'");
  refused(R"({"fields":[{"pointer":"/a","name":"x"},{"pointer":"/b","name":"x"}]})", "fields/1: two fields");
  refused(R"({"label":{"name":"k","from":"/k","values_max":400},"fields":[{"pointer":"/a"}]})",
          "label/values_max: 400 values with 7 figures each are more than a node may show; at most 140");
}

TEST_CASE("aggregate: an event of a known type, label and magnitude allocates nothing", "[metrics]") {
  const std::string time = GENERATE(as<std::string>(), "processing", "event");
  Rigged w(R"({"window":60000,"slide":10000,"time":")" + time +
           R"(","label":{"name":"lab","from":"/lab"},"fields":[{"pointer":"/n"},{"pointer":"/m"}],"emit":{}})");
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    texts.push_back(event(i % 3 == 0 ? "com.example.a.long.type.name" : "b",
                          R"({"lab":"a laboratory with a long name )" + std::to_string(i % 5) + R"(","n":)" +
                              std::to_string(1 + i % 7) + R"(,"m":-0.5,"text":"\u00e9"})",
                          R"(,"time":"2026-01-02T10:00:00Z")"));
  }
  const rig::Batch batch(texts);
  std::vector<std::uint8_t> verdict;
  rig::Writer out(64, 1 << 20);
  REQUIRE(w.node.process(batch, verdict, &out) == SLUICE_OK);
  const std::uint64_t before = allocations;
  for (int round = 0; round < 10; ++round) (void)w.node.process(batch, verdict, &out);
  CHECK(allocations == before);
  (void)w.tick(60'000);
  CHECK(allocations > before);  // so that the counter counts: windows that close do allocate
}

TEST_CASE("aggregate: the summary says how many windows closed and what was left out", "[metrics]") {
  Rigged w(R"({"window":1000,"time":"event","lateness":0})");
  w.process({at("10:00:00"), at("10:00:05"), at("10:00:00")});
  CHECK(w.node.summary() == "windows closed: 2, series: 1, events in windows still open: 1, events too late: 1\n");
}
