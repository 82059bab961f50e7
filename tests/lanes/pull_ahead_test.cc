// In a flood the source lane pulls on while earlier pulls wait for their decoding. Order, credit and halts must not
// notice.
#include "catch.hh"
#include "rig.hh"

#include <algorithm>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::test;

namespace {

std::vector<std::string> offer(FakeSource& in, int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) {
    ids.push_back("e" + std::to_string(i));
    in.offer(ids.back());
  }
  return ids;
}

}  // namespace

TEST_CASE("pull ahead: events leave in the order in which they were pulled", "[lanes][ahead]") {
  Rig rig;  // batches of 16
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  rig.pipeline().pull_ahead(false);
  const auto ids = offer(in, 150);
  rig.step(40);
  CHECK(out.ids() == ids);
  out.complete_all();
  rig.step();
  for (std::uint64_t tag = 1; tag <= ids.size(); ++tag) CHECK(in.of(tag).outcome == Outcome::delivered);
}

TEST_CASE("pull ahead: a full lane is never promised more than it has, and everything still passes", "[lanes][ahead]") {
  Rig rig;
  auto& in = rig.source("in");
  Delivery small = Rig::fast();
  small.queue.max_events = 40;  // two and a half pulls
  auto& out = rig.backend("out", {"in"}, small);
  rig.build();
  rig.pipeline().pull_ahead(false);
  const auto ids = offer(in, 200);
  out.room = 0;
  rig.step(40);
  CHECK(in.waiting() >= 200 - 40);
  out.room = 1'000'000;
  for (int round = 0; round < 40; ++round) {
    rig.step();
    out.complete_all();
  }
  CHECK(out.ids() == ids);
  for (std::uint64_t tag = 1; tag <= ids.size(); ++tag) CHECK(in.heard(tag));
}

TEST_CASE("pull ahead: an array larger than the queue passes though later pulls hold credit", "[lanes][ahead]") {
  Rig rig;
  auto& in = rig.source("in");
  Delivery small = Rig::fast();
  small.queue.max_events = 40;
  auto& out = rig.backend("out", {"in"}, small);
  rig.build();
  rig.pipeline().pull_ahead(false);
  std::string array = "[";
  for (int i = 0; i < 90; ++i) array += (i == 0 ? "" : ",") + event_json("a" + std::to_string(i));
  for (int i = 0; i < 16; ++i) in.offer("first" + std::to_string(i));
  in.offer_text(array + "]");
  for (int i = 0; i < 60; ++i) in.offer("then" + std::to_string(i));
  for (int round = 0; round < 60; ++round) {
    rig.step();
    out.complete_all();
  }
  CHECK(out.taken.size() == 16 + 90 + 60);
  for (std::uint64_t tag = 1; tag <= 77; ++tag) CHECK(in.of(tag).outcome == Outcome::delivered);
}

TEST_CASE("pull ahead: a halt refuses what was pulled behind the event that caused it", "[lanes][ahead]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& guard = rig.consumer("guard", {"in"}, 0);
  auto& out = rig.backend("out", {"guard"});
  guard.judge = [](const sluice_batch& batch, std::uint8_t* verdict, sluice_writer*, std::string& error) {
    if (static_cast<const sluice_event*>(batch.events)->seq > 1) return sluice_status{SLUICE_OK};
    for (std::uint32_t i = 5; i < batch.count; ++i) verdict[i] = SLUICE_TO_REFUSE;
    error = "enough";
    return sluice_status{SLUICE_HALT};
  };
  rig.build();
  rig.pipeline().pull_ahead(false);
  offer(in, 100);
  rig.step(20);
  out.complete_all();
  rig.stop();
  CHECK(out.taken.size() == 5);
  for (std::uint64_t tag = 1; tag <= 5; ++tag) CHECK(in.of(tag).outcome == Outcome::delivered);
  for (std::uint64_t tag = 6; tag <= 48; ++tag) {
    if (!in.heard(tag)) continue;  // never pulled
    CHECK(in.of(tag).code == SLUICE_CODE_HALTED);
  }
  CHECK(in.told.size() + in.waiting() == 100);
}

TEST_CASE("pull ahead: what was pulled and not routed when the drain ends is told so", "[lanes][ahead]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  out.room = 0;
  rig.pipeline().pull_ahead(false);
  offer(in, 64);
  rig.step(1);
  rig.stop();
  CHECK(in.told.size() + in.waiting() == 64);
  for (const Told& told : in.told) CHECK(told.outcome == Outcome::retry);
}

TEST_CASE("pull ahead: the pulls of a flood grow to four batches, and the next trickle has small ones again",
          "[lanes][ahead]") {
  Rig rig;  // batches of 16
  auto& in = rig.source("in");
  auto& seen = rig.consumer("seen", {"in"}, 0);
  auto& out = rig.backend("out", {"seen"});
  out.answers_at_once = true;
  std::vector<std::uint32_t> batches;
  seen.judge = [&](const sluice_batch& batch, std::uint8_t*, sluice_writer*, std::string&) {
    batches.push_back(batch.count);
    return sluice_status{SLUICE_OK};
  };
  rig.build();
  rig.pipeline().pull_ahead(false);
  const auto ids = offer(in, 16 + 32 + 64 + 64 + 3);
  rig.step(40);
  CHECK(batches == std::vector<std::uint32_t>{16, 32, 64, 64, 3});
  batches.clear();
  offer(in, 20);
  rig.step(10);
  CHECK(batches == std::vector<std::uint32_t>{16, 4});
  CHECK(out.taken.size() == ids.size() + 20);
}

TEST_CASE("pull ahead: one pull never takes more than an eighth of a queue, or one batch", "[lanes][ahead]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& seen = rig.consumer("seen", {"in"}, 0);
  Delivery small = Rig::fast();
  small.queue.max_events = 200;
  auto& out = rig.backend("out", {"seen"}, small);
  out.answers_at_once = true;
  std::uint32_t largest = 0;
  seen.judge = [&](const sluice_batch& batch, std::uint8_t*, sluice_writer*, std::string&) {
    largest = std::max(largest, batch.count);
    return sluice_status{SLUICE_OK};
  };
  rig.build();
  rig.pipeline().pull_ahead(false);
  const auto ids = offer(in, 300);
  for (int round = 0; round < 60; ++round) rig.step();
  CHECK(largest == 25);
  CHECK(out.ids() == ids);
}

TEST_CASE("pull ahead: with its own thread everything arrives once and in order", "[lanes][ahead]") {
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  out.answers_at_once = true;
  rig.build();
  rig.pipeline().pull_ahead(true);
  const auto ids = offer(in, 2000);
  for (int round = 0; round < 1'000'000 && out.taken.size() < ids.size(); ++round) rig.step(1);
  CHECK(out.ids() == ids);
  rig.stop();
  CHECK(in.told.size() == ids.size());
}
