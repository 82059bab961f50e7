// Consumer validation on a whole run: the last results, completion, silence; and what of it outlives the process.
#include "catch.hh"
#include "plugin_rig.hh"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using Texts = std::vector<std::string>;

std::string event(const std::string& id, const std::string& type, const std::string& data = "{}") {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/extraction","type":")" + type +
         R"(","time":"2026-01-02T03:04:05Z","data":)" + data + "}";
}
Texts results(const std::string& letters, int first_id = 0) {
  Texts all;
  for (const char c : letters) {
    all.push_back(event(std::to_string(first_id++), c == 's' ? "specimen.completed" : "specimen.failed"));
  }
  return all;
}
const std::string kStart = event("start", "extraction.started", R"({"run_id":"r","total_specimens":4})");
const std::string kEnd = event("end", "extraction.completed");
const std::string kDone = R"("end_types":["extraction.completed"],"early_checkpoint":0)";

struct Watched {
  explicit Watched(std::string config)
      : config("{" + std::move(config) + "}"), folder(made()), state(folder + "/state") {
    const std::size_t mark = this->config.find("STATE");
    if (mark != std::string::npos) this->config.replace(mark, 5, state);
    restart();
  }
  ~Watched() {
    node.reset();
    std::filesystem::remove_all(folder);
  }
  static std::string made() {
    char name[] = "/tmp/sluice-watch-XXXXXX";
    return ::mkdtemp(name);
  }
  void restart() {
    node.reset();
    node = std::make_unique<rig::Node>(rig::class_of(*sluice_module_v1(), "validation"), config, host);
    node->start();
  }
  Texts process(const Texts& texts) {
    const rig::Batch batch(texts);
    rig::Writer out(64, 0);
    std::vector<std::uint8_t> verdict;
    REQUIRE(node->process(batch, verdict, &out) == SLUICE_OK);
    return told(out);
  }
  Texts tick() {
    rig::Writer out(64, 0);
    again_ms = node->tick(host.clock_ns.load(), &out);
    for (std::uint32_t i = 0; i < out.count; ++i) CHECK(out[i].parent == SLUICE_NO_PARENT);
    return told(out);
  }
  static Texts told(const rig::Writer& out) {
    Texts all;
    for (std::uint32_t i = 0; i < out.count; ++i) all.push_back(out.header(i, "type") + " " + out.text(i));
    return all;
  }
  rig::Host host;
  std::string config, folder, state;
  std::unique_ptr<rig::Node> node;
  std::uint32_t again_ms = 0;
};

}  // namespace

TEST_CASE("validation: a run that is complete and good says so at its end", "[validation]") {
  Watched w(kDone);
  CHECK(w.process({kStart}).empty());
  CHECK(w.process(results("sssf")).empty());
  CHECK(
      w.process({kEnd}) ==
      Texts{
          R"(validation.completed {"run_id":"r","processed":4,"success_rate":0.75,"total":4,"threshold":0.7,"passed":true})"});
}

TEST_CASE("validation: a run that ends short of its total, or bad, says what is missing and that it failed",
          "[validation]") {
  const std::string state = GENERATE(as<std::string>(), "", R"(,"state":"STATE")");
  Watched w(kDone + state);
  w.process({kStart});
  w.process(results("sff"));
  if (!state.empty()) w.restart();
  const Texts told{
      R"(validation.completed {"run_id":"r","processed":3,"success_rate":0.3333333333333333,"total":4,"threshold":0.7,"passed":false})",
      R"(validation.incomplete {"run_id":"r","processed":3,"success_rate":0.3333333333333333,"total":4,"missing":1})"};
  CHECK(w.process({kEnd}) == told);
  // The same event again brings about the same, and is not counted again.
  if (!state.empty()) w.restart();
  CHECK(w.process({kEnd}) == told);
}

TEST_CASE("validation: the event that completes a run may be the one that knows its total", "[validation]") {
  Watched w(kDone + R"(,"total":"/n")");
  w.process(results("s"));
  const Texts told = w.process({event("end", "extraction.completed", R"({"n":3})")});
  REQUIRE(told.size() == 2);
  CHECK(told[1] == R"(validation.incomplete {"run_id":null,"processed":1,"success_rate":1.0,"total":3,"missing":2})");
  CHECK(w.process({event("e2", "extraction.completed", R"({"n":"many"})")}).size() == 2);
}

TEST_CASE("validation: a window says when its rate falls, once, and when it is back, also over a restart",
          "[validation]") {
  Watched w(R"("early_checkpoint":0,"window":4,"window_threshold":0.5,"state":"STATE")");
  CHECK(w.process(results("ssss")).empty());
  const std::string low =
      R"(validation.window {"run_id":null,"window":4,"success_rate":0.25,"threshold":0.5,"passed":false})";
  CHECK(w.process(results("fff", 10)) == Texts{low});
  w.restart();
  CHECK(w.process(results("f", 20)).empty());
  CHECK(w.process(results("s", 30)).empty());
  w.restart();
  CHECK(w.process(results("s", 40)) ==
        Texts{R"(validation.window {"run_id":null,"window":4,"success_rate":0.5,"threshold":0.5,"passed":true})"});
}

TEST_CASE("validation: a run that falls silent is told once, and again when it goes on", "[validation]") {
  Watched w(kDone + R"(,"stalled_after":60000,"state":"STATE")");
  w.process({kStart});
  w.process(results("ss"));
  w.host.advance_ms(59'999);
  CHECK(w.tick().empty());
  CHECK(w.again_ms == 15'000);
  w.host.advance_ms(1);
  CHECK(w.tick() == Texts{R"(validation.stalled {"run_id":"r","processed":2,"success_rate":1.0,"idle_seconds":60.0})"});
  w.host.advance_ms(600'000);
  CHECK(w.tick().empty());
  w.restart();
  w.host.advance_ms(600'000);
  CHECK(w.tick().empty());
  CHECK(w.process(results("s", 10)) == Texts{R"(validation.resumed {"run_id":"r","processed":2,"success_rate":1.0})"});
  w.process({kEnd});
  w.host.advance_ms(600'000);
  CHECK(w.tick().empty());  // what is complete may be silent
}

TEST_CASE("validation: after a restart a run has its whole time again before it counts as silent", "[validation]") {
  Watched w(kDone + R"(,"stalled_after":60000,"state":"STATE")");
  w.process({kStart});
  w.host.advance_ms(50'000);
  w.restart();
  CHECK(w.tick().empty());
  w.host.advance_ms(59'999);
  CHECK(w.tick().empty());
  w.host.advance_ms(1);
  CHECK(w.tick().size() == 1);
}

TEST_CASE("validation: more silent runs than the host takes at once are told one call after the other",
          "[validation]") {
  Watched w(R"("early_checkpoint":0,"stalled_after":1000)");
  Texts starts;
  for (int i = 0; i < 100; ++i) {
    starts.push_back(event("s" + std::to_string(i), "extraction.started", R"({"run_id":)" + std::to_string(i) + "}"));
  }
  w.process(starts);
  w.host.advance_ms(1000);
  CHECK(w.tick().size() == 64);
  CHECK(w.again_ms == 1);
  CHECK(w.tick().size() == 36);
}
