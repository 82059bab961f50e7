// What waits for a backend keeps little more in memory than its own bytes, however few it is of its pull.
#include "catch.hh"
#include "rig.hh"

#include "run/few_of_many.hh"

#include <string>

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr std::size_t kPulls = 400;
constexpr std::size_t kPerPull = 32;

/// A pull of events of about 1 KiB, with one extension each.
BlockRef pull_of(BlockPool& pool, std::size_t number) {
  BlockRef block = pool.take();
  for (std::size_t i = 0; i < kPerPull; ++i) {
    const std::string id = std::to_string(number) + "." + std::to_string(i);
    const std::string_view json = block->keep(R"({"id":")" + id + R"("})" + std::string(1000, ' '));
    auto* extension = block->allocate_array<sluice_attribute>(1);
    const std::string_view name = block->keep("lane"), value = block->keep("value of " + id);
    *extension = {{name.data(), name.size()}, {value.data(), value.size()}, SLUICE_STRING, 0};
    sluice_event event{};
    event.text = json.data();
    event.json = {0, static_cast<std::uint32_t>(json.size())};
    event.id = {7, static_cast<std::uint32_t>(id.size())};
    event.extensions = extension;
    event.extension_count = 1;
    event.seq = number * kPerPull + i;
    block->pulled.push_back(event);
  }
  return block;
}

std::string_view text(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }

}  // namespace

TEST_CASE("few of many: what waits is copied out of its pulls once they pile up, and stays what it was", "[lanes]") {
  BlockPool pool;
  FewOfMany few(pool);
  {
    std::vector<FewOfMany::Place> waiting;
    for (std::size_t i = 0; i < kPulls; ++i) {
      const BlockRef pull = pull_of(pool, i);
      const std::span<const sluice_event> one(pull->pulled.data() + 3, 1);
      waiting.push_back(few.place(pull, kPerPull, one, bytes_of(one)));
      CHECK((waiting.back().block.get() == pull.get()) == (i < FewOfMany::kPullsMax));
    }
    CHECK(pool.in_use() < 2 * FewOfMany::kPullsMax);
    for (std::size_t i = 0; i < kPulls; ++i) {
      const std::string id = std::to_string(i) + ".3";
      const sluice_event& event = *waiting[i].events;
      CHECK(event.seq == i * kPerPull + 3);
      CHECK(text(event, event.id) == id);
      CHECK(text(event, event.json).starts_with(R"({"id":")" + id));
      REQUIRE(event.extension_count == 1);
      CHECK(std::string_view(event.extensions->value.ptr, event.extensions->value.len) == "value of " + id);
    }
  }
  CHECK(pool.in_use() == 1);  // the copies that would be filled further
}

TEST_CASE("few of many: a whole pull is never copied", "[lanes]") {
  BlockPool pool;
  FewOfMany few(pool);
  std::vector<FewOfMany::Place> waiting;
  for (std::size_t i = 0; i < 2 * FewOfMany::kPullsMax; ++i) {
    const BlockRef pull = pull_of(pool, i);
    const std::span<const sluice_event> all = pull->pulled;
    waiting.push_back(few.place(pull, kPerPull, all, bytes_of(all)));
    CHECK(waiting.back().block.get() == pull.get());
  }
}

TEST_CASE("a filter that lets few events pass to a backend that takes none: all wait, each is delivered once",
          "[lanes]") {
  Rig rig;
  rig.config.batch_events = kPerPull;
  auto& in = rig.source("in");
  in.per_pull = kPerPull;
  auto& out = rig.backend("out", {"in"});
  std::string why;
  rig.node("out").when = Filter::parse(R"({"types":["t.wanted"]})", why);
  REQUIRE(rig.node("out").when);
  rig.build();
  out.room = 0;
  std::vector<std::string> wanted;
  std::vector<std::uint64_t> tags;
  for (std::size_t i = 0; i < kPulls; ++i) {
    for (std::size_t k = 1; k < kPerPull; ++k) in.offer("other", "t.other");
    wanted.push_back(std::to_string(i));
    tags.push_back(in.offer(wanted.back(), "t.wanted"));
  }
  rig.step(static_cast<int>(2 * kPulls));
  CHECK(in.waiting() == 0);
  CHECK_FALSE(in.heard(tags.front()));
  out.room = 1'000'000;
  rig.advance(std::chrono::seconds(10));
  rig.step(static_cast<int>(kPulls));
  CHECK(out.ids() == wanted);
  out.complete_all();
  rig.step(static_cast<int>(kPulls));
  for (const std::uint64_t tag : tags) CHECK(in.of(tag).outcome == Outcome::delivered);
}
