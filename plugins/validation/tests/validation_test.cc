// Consumer validation as the host drives it: the extraction scenario, restarts, redelivery.
#include "catch.hh"
#include "plugin_rig.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Texts = std::vector<std::string>;

const sluice_class& validation_class() { return rig::class_of(*sluice_module_v1(), "validation"); }

std::string event(const std::string& id, const std::string& type, const std::string& data = "{}") {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/extraction","type":")" + type +
         R"(","time":"2026-01-02T03:04:05Z","data":)" + data + "}";
}
std::string started(const std::string& id, const std::string& run) {
  return event(id, "extraction.started", R"({"run_id":")" + run + "\"}");
}
/// One event per letter: s = success, f = failure, p = processing (counts as neither).
Texts specimens(const std::string& results, int first_id = 0, const std::string& data = "{}") {
  Texts all;
  for (const char c : results) {
    const char* type = c == 's' ? "specimen.completed" : c == 'f' ? "specimen.failed" : "specimen.processing";
    all.push_back(event(std::to_string(first_id++), type, data));
  }
  return all;
}
Texts operator+(Texts a, const Texts& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Validation {
  explicit Validation(const std::string& config = "{}") : node(validation_class(), config, host) { node.start(); }
  sluice_status process(const Texts& texts) {
    const rig::Batch batch(texts);
    rig::Writer out(64, 0);
    host.explained.clear();
    const sluice_status status = node.process(batch, verdict, &out);
    emitted.clear();
    for (std::uint32_t i = 0; i < out.count; ++i) emitted.push_back(out.header(i, "type") + " " + out.text(i));
    parents.clear();
    for (std::uint32_t i = 0; i < out.count; ++i) parents.push_back(out[i].parent);
    return status;
  }
  [[nodiscard]] std::string verdicts() const {
    std::string text;
    for (const std::uint8_t one : verdict) text += one == 0 ? '.' : one == SLUICE_TO_REFUSE ? 'R' : '?';
    return text;
  }
  rig::Host host;
  rig::Node node;
  std::vector<std::uint8_t> verdict;
  Texts emitted;
  std::vector<std::uint32_t> parents;
};

struct StateFile {
  StateFile() {
    char name[] = "/tmp/sluice-validation-XXXXXX";
    folder = ::mkdtemp(name);
    path = folder + "/deep/state";
  }
  ~StateFile() { std::filesystem::remove_all(folder); }
  [[nodiscard]] std::string config(const std::string& more = "") const {
    return R"({"state":")" + path + "\"" + more + "}";
  }
  std::string folder, path;
};

const std::string kHalt20 = "Early validation failed: 20% success rate after 5 specimens";

}  // namespace

TEST_CASE("validation: a healthy run passes whole and says so once", "[validation]") {
  Validation v;
  CHECK(v.process(Texts{started("s", "run_1")} + specimens("pspspspspspf")) == SLUICE_OK);
  CHECK(v.verdicts() == std::string(13, '.'));
  CHECK(v.emitted ==
        Texts{R"(validation.checkpoint {"run_id":"run_1","processed":5,"success_rate":1.0,"passed":true})"});
}

TEST_CASE("validation: the event that fails the checkpoint is the last of its run", "[validation]") {
  Validation v;
  CHECK(v.process(Texts{started("s", "run_1")} + specimens("psfpfffps")) == SLUICE_HALT);
  CHECK(v.node.error == kHalt20);
  //                      s p s f p f f f p s
  CHECK(v.verdicts() == "........RR");
  CHECK(v.host.explained.at(8) == kHalt20);
  CHECK(
      v.emitted ==
      Texts{
          R"(validation.checkpoint {"run_id":"run_1","processed":5,"success_rate":0.2,"passed":false})",
          R"(extraction.failed {"run_id":"run_1","reason":"early_validation_failed","processed":5,"success_rate":0.2})"});
  CHECK(v.parents == std::vector<std::uint32_t>{7, 7});
  // What comes later of the run is refused; the halt was announced once.
  CHECK(v.process(specimens("sp", 50)) == SLUICE_OK);
  CHECK(v.verdicts() == "RR");
}

TEST_CASE("validation: another run goes on beside a halted one, and a new start lifts the halt", "[validation]") {
  Validation v(R"({"halt":"run"})");
  CHECK(v.process(specimens("fffff", 0, R"({"run_id":"bad"})")) == SLUICE_OK);
  CHECK(v.emitted.size() == 2);
  CHECK(v.process(specimens("sf", 10, R"({"run_id":"bad"})") + specimens("sp", 20, R"({"run_id":"good"})")) ==
        SLUICE_OK);
  CHECK(v.verdicts() == "RR..");
  CHECK(v.process(Texts{started("again", "bad")} + specimens("sp", 30, R"({"run_id":"bad"})")) == SLUICE_OK);
  CHECK(v.verdicts() == "...");
}

TEST_CASE("validation: a low rate is warned about at the interval, and never stops anything", "[validation]") {
  Validation v(R"({"warning_interval":10})");
  CHECK(v.process(specimens("sssfffsfff")) == SLUICE_OK);
  CHECK(v.emitted == Texts{R"(validation.checkpoint {"run_id":null,"processed":5,"success_rate":0.6,"passed":true})",
                           R"(validation.warning {"run_id":null,"processed":10,"success_rate":0.4,"threshold":0.7})"});
}

TEST_CASE("validation: types, pointer and noun are the user's", "[validation]") {
  Validation v(R"({"success_types":["a.ok"],"failure_types":["a.bad","a.worse"],"start_types":["a.go"],
                   "run_id":"/job/id","unit_name":"documents","early_checkpoint":2})");
  const std::string job = R"({"job":{"id":42}})";
  CHECK(v.process({event("1", "a.bad", job), event("2", "specimen.completed", job), event("3", "a.worse", job)}) ==
        SLUICE_HALT);
  CHECK(v.node.error == "Early validation failed: 0% success rate after 2 documents");
  CHECK(v.emitted.at(0) == R"(validation.checkpoint {"run_id":"42","processed":2,"success_rate":0.0,"passed":false})");
}

TEST_CASE("validation: run ids are read from any data, and broken or missing data is no run id", "[validation]") {
  Validation v(R"({"early_checkpoint":2,"halt":"run"})");
  const auto row = GENERATE(as<std::string>(), "{}", "[1,2]", "\"run_id\"", "null", "12", R"({"run_id":null})",
                            R"({"run_id":{"a":1}})", R"({"other":"run_id"})");
  CHECK(v.process(specimens("ss", 0, row)) == SLUICE_OK);
  CHECK(v.emitted == Texts{R"(validation.checkpoint {"run_id":null,"processed":2,"success_rate":1.0,"passed":true})"});
}

TEST_CASE("validation: a run id with every kind of character comes back as it was", "[validation]") {
  Validation v(R"({"early_checkpoint":1})");
  CHECK(v.process(specimens("s", 0, R"({"run\u005fid":"q\"\\\n\u00e9"})")) == SLUICE_OK);
  CHECK(v.emitted ==
        Texts{"validation.checkpoint "
              "{\"run_id\":\"q\\\"\\\\\\n\xc3\xa9\",\"processed\":1,\"success_rate\":1.0,\"passed\":true}"});
}

TEST_CASE("validation: a redelivered event is not counted twice, and brings about the same again", "[validation]") {
  Validation v;
  CHECK(v.process(specimens("ssss")) == SLUICE_OK);
  CHECK(v.process(specimens("ssss") + specimens("s", 4)) == SLUICE_OK);
  CHECK(v.emitted.size() == 1);
  CHECK(v.parents == std::vector<std::uint32_t>{4});
  CHECK(v.process(specimens("s", 4)) == SLUICE_OK);  // its checkpoint may not have arrived: it comes again with it
  CHECK(v.emitted.size() == 1);
}

TEST_CASE("validation: counts survive a restart, also one in the middle of a write", "[validation]") {
  const StateFile state;
  {
    Validation v(state.config());
    CHECK(v.process(Texts{started("s", "run_1")} + specimens("sfff")) == SLUICE_OK);
  }
  const bool torn = GENERATE(false, true);
  if (torn) std::ofstream(state.path, std::ios::app) << "+ 0 00112233";
  Validation v(state.config());
  CHECK(v.process(specimens("sfff") + specimens("f", 4) + specimens("s", 5)) == SLUICE_HALT);
  CHECK(v.verdicts() == ".....R");
  CHECK(v.node.error == kHalt20);
  CHECK(v.emitted.size() == 2);
}

TEST_CASE("validation: after a restart a halted run halts again, and its findings come again with their cause",
          "[validation]") {
  const StateFile state;
  {
    Validation v(state.config());
    CHECK(v.process(Texts{started("s", "run_1")} + specimens("sffff")) == SLUICE_HALT);
  }
  {
    Validation v(state.config());
    CHECK(v.process(specimens("p", 90)) == SLUICE_HALT);
    CHECK(v.verdicts() == "R");
    CHECK(v.node.error == kHalt20);
    CHECK(v.emitted.empty());
  }
  {
    Validation v(state.config());
    CHECK(v.process(specimens("ffff", 1)) == SLUICE_HALT);  // ids 1..4, the last being the cause
    CHECK(v.verdicts() == "....");
    CHECK(v.emitted.size() == 2);
  }
  {
    Validation v(state.config());
    CHECK(v.process(Texts{started("t", "run_2")} + specimens("p", 91)) == SLUICE_OK);
    CHECK(v.verdicts() == "..");
    // A straggler of the old run stops nobody.
    CHECK(v.process(specimens("s", 92, R"({"run_id":"run_1"})")) == SLUICE_OK);
    CHECK(v.verdicts() == "R");
  }
}

TEST_CASE("validation: a long run keeps its state file small and its counts right", "[validation]") {
  const StateFile state;
  constexpr int kBatches = 1000, kPerBatch = 256;
  {
    Validation v(state.config(R"(,"warning_interval":0)"));
    const std::string all(kPerBatch, 's');
    for (int i = 0; i < kBatches; ++i) REQUIRE(v.process(specimens(all, i * kPerBatch)) == SLUICE_OK);
    CHECK(std::filesystem::file_size(state.path) < 20'000'000);
  }
  Validation v(state.config(R"(,"warning_interval":256001,"warning_threshold":1)"));
  CHECK(v.process(specimens("f", 10'000'000)) == SLUICE_OK);
  REQUIRE(v.emitted.size() == 1);
  CHECK(v.emitted[0].find("\"processed\":256001") != std::string::npos);
}

TEST_CASE("validation: two owners, a foreign file, a damaged line and a contradiction are refused with the cure",
          "[validation]") {
  const StateFile state;
  rig::Host host;
  {
    const Validation owner(state.config());
    rig::Node second(validation_class(), state.config(), host);
    CHECK_THROWS_WITH(second.start(), Catch::Matchers::Contains("is in use by another process or node"));
    CHECK(second.status == SLUICE_AWAY);
  }
  rig::Node reader(validation_class(), state.config(), host);
  std::ofstream(state.path) << "sluice validation state 1\nR 0 - 0 \nnonsense here\n+ 0 1 1\n";
  CHECK_THROWS_WITH(reader.start(), Catch::Matchers::Contains(":3: damaged line"));
  std::ofstream(state.path) << "{\"not\":\"ours\"}\n";
  CHECK_THROWS_WITH(reader.start(), Catch::Matchers::Contains("is not a state file"));
  CHECK_THROWS_WITH(Validation(R"({"success_types":["x"],"failure_types":["x"]})"),
                    Catch::Matchers::Contains("both name 'x'"));
}
