// Consumer json_schema as the host drives it: which schema an event has, and what becomes of one that does not fit.
#include "catch.hh"
#include "plugin_rig.hh"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/sluice-schema-XXXXXX";
    path = ::mkdtemp(name);
    write("order.placed.json",
          R"({"$id":"https://example.com/order/1","properties":{"n":{"type":"integer"}},"required":["n"]})");
    write("text.json", R"({"type":"string"})");
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path + "/" + name) << text; }
  std::string path;
};

std::string event(const std::string& id, const std::string& type, const std::string& more) {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/shop","type":")" + type + "\"" +
         (more.empty() ? "" : "," + more) + "}";
}

struct Checked {
  explicit Checked(const std::string& config) : node(rig::class_of(*sluice_module_v1(), "json_schema"), config, host) {}
  sluice_status process(const std::vector<std::string>& texts) {
    const rig::Batch batch(texts);
    rig::Writer out(64);
    host.explained.clear();
    const sluice_status status = node.process(batch, verdict, &out);
    made = out.texts();
    return status;
  }
  rig::Host host;
  rig::Node node;
  std::vector<std::uint8_t> verdict;
  std::vector<std::string> made;
};

const std::string kGood = event("1", "order.placed", R"("data":{"n":1})");
const std::string kBad = event("2", "order.placed", R"("data":{"n":"x"})");
const std::string kOther = event("3", "other", R"("data":{"n":"x"})");

}  // namespace

TEST_CASE("json_schema: an event has the schema of its dataschema, or else of its type", "[schema]") {
  const Folder folder;
  Checked c(R"({"folder":")" + folder.path + R"(","types":{"note":")" + folder.path + R"(/text.json"}})");
  c.process({kGood, kBad, kOther, event("4", "other", R"("dataschema":"https://example.com/order/1","data":{})"),
             event("5", "note", R"("dataschema":"urn:not-known","data":"x")"), event("6", "note", R"("data":1)")});
  CHECK(c.verdict == std::vector<std::uint8_t>{0, SLUICE_TO_REJECT, 0, SLUICE_TO_REJECT, 0, SLUICE_TO_REJECT});
  CHECK(c.host.explained.at(1).find("order.placed.json: /n: ") != std::string::npos);
  CHECK(c.host.cell("json_schema_events_total{result=\"valid\"}")->count == 2);
  CHECK(c.host.cell("json_schema_events_total{result=\"invalid\"}")->count == 3);
  CHECK(c.host.cell("json_schema_events_total{result=\"unknown\"}")->count == 1);
}

TEST_CASE("json_schema: data that is not there or not JSON does not fit", "[schema]") {
  const Folder folder;
  Checked c(R"({"folder":")" + folder.path + "\"}");
  c.process({event("1", "order.placed", ""), event("2", "order.placed", R"("data_base64":"AAAA")")});
  CHECK(c.host.explained.at(0).find("there is none") != std::string::npos);
  CHECK(c.host.explained.at(1).find("is bytes, not JSON") != std::string::npos);
}

TEST_CASE("json_schema: what does not fit is dropped or diverted when that is asked for", "[schema]") {
  const Folder folder;
  const auto row = GENERATE(values<std::pair<std::string, std::uint8_t>>(
      {{"drop", SLUICE_TO_DROP}, {"divert", 1}, {"reject", SLUICE_TO_REJECT}}));
  Checked c(R"({"folder":")" + folder.path + R"(","on_invalid":")" + row.first + R"(","on_unknown":")" + row.first +
            "\"}");
  CHECK(c.process({kGood, kBad, kOther}) == SLUICE_OK);
  CHECK(c.verdict == std::vector<std::uint8_t>{0, row.second, row.second});
}

TEST_CASE("json_schema: a tagged event goes on in its place with the reason as an attribute, once", "[schema]") {
  const Folder folder;
  Checked c(R"({"folder":")" + folder.path + R"(","on_invalid":"tag"})");
  CHECK(c.process({kGood, kBad}) == SLUICE_OK);
  CHECK(c.verdict == std::vector<std::uint8_t>{0, 0});
  REQUIRE(c.made.size() == 1);
  const auto tagged = rig::json::parse(c.made[0]);
  CHECK(tagged["id"] == "2");
  CHECK(tagged["schemaerror"].get<std::string>().find("/n: ") != std::string::npos);
  c.process({c.made[0]});
  CHECK(c.made.empty());
  CHECK(c.verdict == std::vector<std::uint8_t>{0});
}

TEST_CASE("json_schema: a halt names the event, and everything later is refused", "[schema]") {
  const Folder folder;
  Checked c(R"({"folder":")" + folder.path + R"(","on_invalid":"halt"})");
  CHECK(c.process({kGood, kBad, kGood}) == SLUICE_HALT);
  CHECK(c.node.error.find("event 2 of /shop: data does not fit") != std::string::npos);
  CHECK(c.verdict == std::vector<std::uint8_t>{0, SLUICE_TO_REFUSE, SLUICE_TO_REFUSE});
  CHECK(c.process({kGood}) == SLUICE_OK);
  CHECK(c.verdict == std::vector<std::uint8_t>{SLUICE_TO_REFUSE});
}

TEST_CASE("json_schema: a configuration that cannot work says which key, which file and why", "[schema]") {
  const Folder folder;
  folder.write("bad.json", R"({"properties":{"a":{"unevaluatedItems":false}}})");
  const std::string path = folder.path + "/";
  CHECK_THROWS_WITH(Checked("{}"), Catch::Matchers::Contains("no schema is named"));
  CHECK_THROWS_WITH(Checked(R"({"types":{"a":")" + path + R"(none.json"}})"),
                    Catch::Matchers::Contains("types.a: the schema ") && Catch::Matchers::Contains("cannot be read"));
  CHECK_THROWS_WITH(Checked(R"({"folder":")" + folder.path + "\"}"),
                    Catch::Matchers::Contains("bad.json: #/properties/a/unevaluatedItems is a keyword"));
  CHECK_THROWS_WITH(Checked(R"({"folder":")" + path + "none\"}"), Catch::Matchers::Contains("cannot be read"));
}
