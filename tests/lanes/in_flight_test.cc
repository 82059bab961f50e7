// `delivery.max_in_flight`: no more events are with a class than that, whatever it would take.
#include "catch.hh"
#include "rig.hh"

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

namespace {
Delivery at_most(std::uint32_t events) {
  Delivery delivery = Rig::fast();
  delivery.max_in_flight = events;
  return delivery;
}
}  // namespace

TEST_CASE("max_in_flight: the next event goes when one is completed, in order, and all arrive", "[lanes]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, at_most(2));
  rig.build();
  std::vector<std::uint64_t> tags;
  for (const char* id : {"a", "b", "c", "d", "e"}) tags.push_back(in.offer(id));
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a", "b"});
  rig.advance(milliseconds(60'000));
  CHECK(out.taken.size() == 2);
  out.complete("b");
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a", "b", "c"});
  for (int i = 0; i < 5; ++i) {
    out.complete_all();
    rig.step();
  }
  CHECK(out.ids() == std::vector<std::string>{"a", "b", "c", "d", "e"});
  for (const std::uint64_t tag : tags) CHECK(in.of(tag).outcome == Outcome::delivered);
}

TEST_CASE("max_in_flight: an event that waits for its retry does not count", "[lanes]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, at_most(1));
  rig.build();
  in.offer("a");
  in.offer("b");
  rig.step();
  out.complete("a", SLUICE_AGAIN, "busy");
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a", "b"});
  rig.advance(milliseconds(101));
  CHECK(out.taken.size() == 2);  // b is still with the class
  out.complete("b");
  rig.step();
  CHECK(out.ids() == std::vector<std::string>{"a", "b", "a"});
}
