// Observer metrics as the host drives it.
#include "catch.hh"
#include "plugin_rig.hh"

#include <string>
#include <vector>

namespace {

const sluice_class& metrics_class() { return rig::class_of(*sluice_module_v1(), "metrics"); }

std::string event(const std::string& type, const std::string& data = "{}") {
  return R"({"specversion":"1.0","id":"1","source":"/s","type":")" + type + R"(","data":)" + data + "}";
}

}  // namespace

TEST_CASE("metrics: counts by type, success ratio and throughput reach their cells", "[metrics]") {
  rig::Host host;
  rig::Node node(metrics_class(), "{}", host);
  std::vector<std::string> texts{event("other.type")};
  for (int i = 0; i < 3; ++i) texts.push_back(event("specimen.completed"));
  texts.push_back(event("specimen.failed"));
  CHECK(node.observe(rig::Batch(texts)) == SLUICE_OK);
  REQUIRE(host.cell("observed_events_total{type=\"specimen.completed\"}") != nullptr);
  CHECK(host.cell("observed_events_total{type=\"specimen.completed\"}")->count == 3);
  CHECK(host.cell("observed_events_total{type=\"other.type\"}")->count == 1);
  CHECK(host.cell("observed_success_ratio")->value == 0.75);
  host.advance_ms(1000);
  CHECK(node.tick(host.clock_ns) == 1000);
  CHECK(host.cell("observed_events_per_second")->value == Approx(0.5));  // 5 events in a window of 10 s
}

TEST_CASE("metrics: a field is followed where its pointer leads to a number", "[metrics]") {
  rig::Host host;
  rig::Node node(metrics_class(), R"({"fields":[{"pointer":"/metrics/success_rate","name":"rate"},
      {"pointer":"/list/1"},{"pointer":"/n","types":["b"]}]})",
                 host);
  const std::vector<std::string> texts{event("a", R"({"metrics":{"success_rate":0.5},"n":1})"),
                                       event("a", R"({"metrics":{"success_rate":1}})"),
                                       event("a", R"({"metrics":{"success_rate":"high"}})"),
                                       event("a", R"({"metrics":7})"),
                                       event("b", R"({"list":[1,2.5],"n":-3})"),
                                       event("a", "[1]"),
                                       event("a", R"({"\u006detrics":{"success\u005frate":3}})"),
                                       event("b", "\"success_rate\"")};
  CHECK(node.observe(rig::Batch(texts)) == SLUICE_OK);
  const auto value = [&](const std::string& name, const std::string& field) {
    const sluice_cell* cell = host.cell("observed_field_" + name + "{field=\"" + field + "\"}");
    REQUIRE(cell != nullptr);
    return cell->value;
  };
  CHECK(host.cell("observed_field_values_total{field=\"rate\"}")->count == 3);
  CHECK(value("min", "rate") == 0.5);
  CHECK(value("max", "rate") == 3);
  CHECK(value("mean", "rate") == 1.5);
  CHECK(value("sum", "rate") == 4.5);
  CHECK(value("last", "rate") == 3);
  CHECK(value("last", "/list/1") == 2.5);
  CHECK(value("last", "/n") == -3);
  CHECK(host.cell("observed_field_values_total{field=\"/n\"}")->count == 1);
}

TEST_CASE("metrics: the summary says what passed", "[metrics]") {
  rig::Host host;
  rig::Node node(metrics_class(), "{}", host);
  std::vector<std::string> texts(23, event("specimen.completed"));
  texts.push_back(event("specimen.failed"));
  texts.push_back(event("specimen.failed"));
  CHECK(node.observe(rig::Batch(texts)) == SLUICE_OK);
  CHECK(node.summary() ==
        "events: 25\n  specimen.completed  23\n  specimen.failed     2\nsuccess rate: 92.0% (23 of 25)\n");
}

TEST_CASE("metrics: two fields of one name are refused", "[metrics]") {
  rig::Host host;
  CHECK_THROWS_WITH(
      rig::Node(metrics_class(), R"({"fields":[{"pointer":"/a","name":"x"},{"pointer":"/b","name":"x"}]})", host),
      "fields: two of them are named 'x'");
}
