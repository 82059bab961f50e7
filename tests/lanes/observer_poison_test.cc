// An event that ends the process, or on which the observer fails, each time it is shown from a durable queue.
#include "catch.hh"
#include "rig.hh"

#include <algorithm>

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

namespace {

/// The process ends inside process().
struct Ended {};

std::string id_of(const sluice_event& event) { return {event.text + event.id.at, event.id.len}; }

/// One process after the other over one disk.
struct Lives {
  MemoryDisk disk;
  std::vector<std::string> poison;  // events that end the process, or, with `fails`, on which the observer fails
  bool fails = false;
  std::vector<std::string> taken;      // by all processes
  std::vector<std::string> last_said;  // of the last process
  std::uint64_t rejected = 0;

  /// False: it ended before its time.
  bool live(int from = 0, int to = 0) {
    Rig rig;
    auto& in = rig.source("in");
    rig.backend("out", {"in"}).answers_at_once = true;
    auto& watch = rig.durable("watch", {"in"}, disk);
    watch.judge = [&](const sluice_batch& batch, std::uint8_t*, sluice_writer*, std::string& error) -> sluice_status {
      std::vector<std::string> ids;
      for (std::uint32_t i = 0; i < batch.count; ++i) {
        ids.push_back(id_of(*SLUICE_EVENT(&batch, i)));
        if (std::ranges::find(poison, ids.back()) == poison.end()) continue;
        if (!fails) throw Ended{};
        error = "cannot";
        return SLUICE_FAILED;
      }
      taken.insert(taken.end(), ids.begin(), ids.end());
      return SLUICE_OK;
    };
    rig.build();
    for (int i = from; i < to; ++i) in.offer("e" + std::to_string(i));
    bool whole = true;
    try {
      rig.step(30);
      rig.stop();
    } catch (const Ended&) {
      whole = false;
    }
    last_said = rig.log.lines;
    rejected += rig.stats("watch").spool_rejected.get();
    if (!whole) disk.crash([](std::size_t unsynced) { return unsynced; }, false);
    return whole;
  }
  [[nodiscard]] bool says(std::string_view words) const {
    return std::ranges::any_of(last_said, [&](const std::string& line) { return line.find(words) != line.npos; });
  }
};

std::vector<std::string> all_but(const std::vector<std::string>& out, int to) {
  std::vector<std::string> ids;
  for (int i = 0; i < to; ++i) ids.push_back("e" + std::to_string(i));
  for (const std::string& id : out) std::erase(ids, id);
  return ids;
}

}  // namespace

TEST_CASE("observer poison: an event that ended three processes in a row is set aside, and the rest is shown") {
  Lives lives;
  lives.poison = {"e7"};
  CHECK_FALSE(lives.live(0, 12));
  CHECK_FALSE(lives.live());
  CHECK(lives.says("now one by one"));
  CHECK_FALSE(lives.live());
  CHECK(lives.disk.rejected.empty());
  CHECK(lives.live());
  REQUIRE(lives.disk.rejected.size() == 1);
  CHECK(lives.disk.rejected[0].find(R"("id":"e7")") != std::string::npos);
  CHECK(lives.disk.rejected[0].find("3 times in a row while it was shown this event") != std::string::npos);
  CHECK(lives.rejected == 1);
  CHECK(lives.says("kept beside the spool"));
  std::ranges::sort(lives.taken);
  lives.taken.erase(std::unique(lives.taken.begin(), lives.taken.end()), lives.taken.end());
  auto wanted = all_but({"e7"}, 12);
  std::ranges::sort(wanted);
  CHECK(lives.taken == wanted);
  CHECK(lives.disk.segments.empty());
  CHECK(lives.live(20, 22));
  CHECK(lives.disk.rejected.size() == 1);
}

TEST_CASE("observer poison: each poisonous event costs three processes and no more") {
  Lives lives;
  lives.poison = {"e0", "e5", "e11"};
  int ended = lives.live(0, 12) ? 0 : 1;
  while (ended < 20 && !lives.live()) ++ended;
  CHECK(ended == 9);
  CHECK(lives.disk.rejected.size() == 3);
  CHECK(lives.disk.segments.empty());
}

TEST_CASE("observer poison: an observer that fails on the same event three times goes on without it") {
  Lives lives;
  lives.poison = {"e2"};
  lives.fails = true;
  CHECK(lives.live(0, 6));
  for (int life = 0; life < 2; ++life) {
    CHECK(lives.live());
    CHECK(lives.says("Observer failed"));
    CHECK(lives.disk.rejected.empty());
  }
  CHECK(lives.live());
  CHECK_FALSE(lives.says("Observer failed"));
  CHECK(lives.disk.rejected.size() == 1);
  CHECK(lives.disk.segments.empty());
}

TEST_CASE("observer poison: an event that is taken after all is no suspect any more") {
  Lives lives;
  for (int round = 0; round < 3; ++round) {
    lives.poison = {"e" + std::to_string(6 * round + 1)};
    CHECK_FALSE(lives.live(6 * round, 6 * round + 6));
    CHECK_FALSE(lives.live());
    lives.poison.clear();
    CHECK(lives.live());
  }
  CHECK(lives.disk.rejected.empty());
  CHECK(lives.disk.segments.empty());
}

TEST_CASE("observer poison: a start that shows nothing does not make an event innocent") {
  Lives lives;
  lives.poison = {"e0"};
  CHECK_FALSE(lives.live(0, 3));
  CHECK_FALSE(lives.live());
  {
    Rig idle;  // stopped before its observer could start
    idle.source("in");
    idle.backend("out", {"in"}).answers_at_once = true;
    idle.durable("watch", {"in"}, lives.disk).start_with = {SLUICE_AWAY, "not yet"};
    idle.build();
    idle.step();
    idle.stop();
  }
  CHECK_FALSE(lives.live());
  CHECK(lives.live());
  CHECK(lives.disk.rejected.size() == 1);
}

TEST_CASE("observer poison: what was noted of records that are long done, or were never written, is forgotten") {
  UnderWay noted;
  noted.begin(5, 3);
  noted.heed_end(9, 20);
  CHECK(noted.ends.load() == 0);
  noted.begin(30, 1);
  noted.heed_end(9, 20);
  CHECK(noted.ends.load() == 0);
  noted.begin(19, ~std::uint64_t{0});
  noted.heed_end(9, 20);
  CHECK(noted.ends.load() == 0);
  noted.begin(12, 4);
  noted.heed_end(9, 20);
  CHECK(noted.ends.load() == 1);
  CHECK(noted.suspects_any(15, 16));
  CHECK_FALSE(noted.suspects_any(16, 20));
  noted.heed_end(16, 20);
  CHECK(noted.ends.load() == 0);
}
