// The classes generate and null as the host drives them.
#include "catch.hh"
#include "plugin_rig.hh"

#include <string>
#include <vector>

namespace {

const sluice_class& of(const char* name) { return rig::class_of(*sluice_module_v1(), name); }
const std::string kEvent = R"({"specversion":"1.0","id":"1","source":"/t","type":"t"})";

}  // namespace

TEST_CASE("generate: makes as many as asked for, whatever fits one pull, and then ends", "[bench]") {
  rig::Host host;
  rig::Node node(of("generate"), R"({"count":1000})", host);
  std::size_t count = 0;
  for (int round = 0; round < 1000; ++round) {
    rig::Writer out(256, 20'000);
    const sluice_status status = node.pull(out);
    count += out.count;
    if (status == SLUICE_END) break;
    REQUIRE(out.count > 0);
  }
  CHECK(count == 1000);
}

TEST_CASE("generate: a rate follows the clock and a pause brings no burst", "[bench]") {
  rig::Host host;
  rig::Node node(of("generate"), R"({"count":0,"rate":1000})", host);
  const auto pulled = [&] {
    rig::Writer out;
    (void)node.pull(out);
    return out.count;
  };
  CHECK(pulled() == 1);
  CHECK(pulled() == 0);
  host.advance_ms(10);
  CHECK(pulled() == 10);
  host.advance_ms(60'000);
  CHECK(pulled() == 100);
  CHECK(pulled() == 0);
}

TEST_CASE("generate: an event larger than the room of a pull asks for more", "[bench]") {
  rig::Host host;
  rig::Node node(of("generate"), R"({"count":1,"size":100000})", host);
  rig::Writer out(256, 4096);
  REQUIRE(node.pull(out) == SLUICE_OK);
  CHECK(out.text(0).size() == 100'000);
}

TEST_CASE("null: delivers at once, or as asked for every n-th event", "[bench]") {
  rig::Host host;
  rig::Node node(of("null"), R"({"status_every":3,"status":"rejected"})", host);
  CHECK(node.publish(rig::Batch(std::vector<std::string>(7, kEvent), 10)) == 7);
  std::vector<std::uint64_t> odd;
  for (const auto& done : host.completions) {
    if (done.status == SLUICE_REJECTED) odd.push_back(done.ticket);
  }
  CHECK(host.completions.size() == 7);
  CHECK(odd == std::vector<std::uint64_t>{12, 15});
}

TEST_CASE("null: with a latency, completes in due time, bounds what is in flight and cancels the rest on stop",
          "[bench]") {
  rig::Host host;
  rig::Node node(of("null"), R"({"latency":50,"in_flight":5})", host);
  const rig::Batch batch(std::vector<std::string>(4, kEvent), 0);
  CHECK(node.publish(batch) == 4);
  CHECK(node.publish(batch) == 1);
  CHECK(node.publish(batch) == 0);
  node.poll(0);
  CHECK(host.completions.empty());
  host.advance_ms(50);
  node.poll(0);
  CHECK(host.completed(SLUICE_OK) == 5);
  CHECK(node.publish(batch) == 4);
  node.stop();
  CHECK(host.completed(SLUICE_CANCELLED) == 4);
}
