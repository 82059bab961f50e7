// What reaches an observer of all that its source pulls.
#include "catch.hh"
#include "rig.hh"

#include <algorithm>

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

namespace {

/// One event in sixteen is of the type that is asked for.
std::vector<std::string> offer_sparse(FakeSource& in, int count) {
  std::vector<std::string> picked;
  for (int i = 0; i < count; ++i) {
    const std::string id = "e" + std::to_string(i);
    in.offer(id, i % 16 == 3 ? "t.rare" : "t.plain");
    if (i % 16 == 3) picked.push_back(id);
  }
  return picked;
}

Filter rare() {
  std::string why;
  return *Filter::parse(R"({"types":["t.rare"]})", why);
}

}  // namespace

TEST_CASE("observer picks: an observer is shown the types that it can use, and the rest takes no room in its queue") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.answers_at_once = true;
  auto& watch = rig.durable("watch", {"in"}, disk);
  watch.wants = {"nothing.like.it", "t.r?re"};
  watch.start_with = {SLUICE_AWAY, "not yet"};
  rig.build();
  const auto picked = offer_sparse(in, 320);
  rig.step(60);
  CHECK(out.ids().size() == 320);
  CHECK(rig.stats("watch").spool_records.get() == picked.size());
  watch.start_with = {};
  rig.advance(milliseconds(10'000));
  rig.step(60);
  CHECK(watch.seen == picked);
  rig.stop();
}

TEST_CASE("observer picks: more types than have a number of their own are told apart by their names") {
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  auto& watch = rig.consumer("watch", {"in"}, SLUICE_OBSERVER);
  watch.wants = {"t.*7"};
  rig.build();
  std::vector<std::string> wanted;
  for (int i = 0; i < 1200; ++i) {
    in.offer("e" + std::to_string(i), "t." + std::to_string(i % 600));
    if (i % 600 % 10 == 7) wanted.push_back("e" + std::to_string(i));
    if (i % 16 == 15) rig.step(2);
  }
  rig.step(20);
  CHECK(watch.seen == wanted);
  rig.stop();
}

TEST_CASE("observer picks: what a node's own `when` picks of the wanted types comes, and nothing else") {
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  auto& watch = rig.consumer("watch", {"in"}, SLUICE_OBSERVER);
  watch.wants = {"t.rare", "t.plain"};
  rig.node("watch").when = rare();
  rig.build();
  const auto picked = offer_sparse(in, 64);
  rig.step(20);
  CHECK(watch.seen == picked);
  rig.stop();
}

TEST_CASE("observer picks: a reload's observer is shown what it wants itself, and nothing is missed on the way") {
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  auto& watch = rig.consumer("watch", {"in"}, SLUICE_OBSERVER);
  watch.wants = {"t.rare"};
  rig.build();
  in.offer("a", "t.rare");
  in.offer("b", "t.other");
  rig.step();
  CHECK(watch.seen == std::vector<std::string>{"a"});

  NodeIndex index = 0;
  while (rig.pipeline().graph().nodes[index].name != "watch") ++index;
  auto fresh = std::make_unique<FakeConsumer>();
  FakeConsumer& next = *fresh;
  next.wants = {"t.other"};
  const auto swap = std::make_shared<NodeSwap>();
  swap->observer = std::move(fresh);
  rig.pipeline().swap(index, swap);
  in.offer("c", "t.other");  // the new one's already
  rig.step();
  rig.pipeline().end_swap(index, *swap);
  rig.step();
  in.offer("d", "t.rare");
  in.offer("e", "t.other");
  rig.step();
  CHECK(next.seen == std::vector<std::string>{"c", "e"});
  rig.stop();
}
