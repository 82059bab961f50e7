// `when` on a source: what it leaves out is settled as dropped and counted, and reaches nobody.
#include "catch.hh"
#include "rig.hh"

using namespace sluice;
using namespace sluice::test;

TEST_CASE("a source's filter drops what it leaves out, and tells the source", "[lanes]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& judge = rig.consumer("judge", {"in"});
  auto& out = rig.backend("out", {"judge"});
  std::string why;
  rig.node("in").when = Filter::parse(R"({"types":["t.wanted*"]})", why);
  REQUIRE(rig.node("in").when);
  rig.build();
  const auto a = in.offer("a", "t.other");
  const auto b = in.offer("b", "t.wanted");
  const auto c = in.offer("c", "t.other");
  const auto d = in.offer("d", "t.wanted.too");
  rig.step();
  out.complete_all();
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"b", "d"});
  CHECK(judge.seen == std::vector<std::string>{"b", "d"});
  CHECK(in.of(a).outcome == Outcome::dropped);
  CHECK(in.of(c).outcome == Outcome::dropped);
  CHECK(in.of(b).outcome == Outcome::delivered);
  CHECK(in.of(d).outcome == Outcome::delivered);
  CHECK(total(rig.stats("in"), &TypeCounters::dropped) == 2);
  CHECK(total(rig.stats("in"), &TypeCounters::in) == 4);
}
