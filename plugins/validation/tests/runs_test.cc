// The rules of a run, and that its journal says all of it.
#include "runs.hh"

#include "catch.hh"
#include "findings.hh"

#include <algorithm>
#include <set>
#include <sstream>

namespace {

using validation::Finding;
using validation::FindingKind;
using validation::IdHash;
using validation::IdWindow;
using validation::Rules;
using validation::Runs;

IdHash id(std::uint64_t n) { return validation::hash_identity("/source", std::to_string(n)); }

/// Counts results given as a word: s = success, f = failure.
std::vector<Finding> count(Runs& runs, const std::string& results, std::uint64_t first_id = 0,
                           std::optional<std::string_view> run = std::nullopt) {
  std::vector<Finding> findings;
  for (const char c : results) runs.count(runs.run_of("/source", run), id(first_id++), c == 's', findings);
  return findings;
}

Runs replayed(const std::string& journal, const Rules& rules) {
  Runs runs(rules);
  std::istringstream in(journal);
  for (std::string line; std::getline(in, line);) REQUIRE(runs.replay(line));
  return runs;
}

}  // namespace

TEST_CASE("runs: the early checkpoint is judged once, at exactly its result", "[validation]") {
  struct Row {
    const char* results;
    bool failed;
    const char* text;
  };
  const auto row = GENERATE(Row{"fffff", true, "Early validation failed: 0% success rate after 5 specimens"},
                            Row{"sffff", true, "Early validation failed: 20% success rate after 5 specimens"},
                            Row{"ssfff", true, "Early validation failed: 40% success rate after 5 specimens"},
                            Row{"sssff", false, ""}, Row{"sssss", false, ""});
  Runs runs({});
  CHECK(count(runs, std::string(row.results).substr(0, 4)).empty());
  const auto findings = count(runs, std::string(row.results).substr(4), 4);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == FindingKind::checkpoint);
  CHECK(findings[0].failed == row.failed);
  CHECK(runs.any_halted() == row.failed);
  if (row.failed) CHECK(halt_text(findings[0], "specimens") == row.text);
}

TEST_CASE("runs: a rate exactly at the threshold passes", "[validation]") {
  Runs runs({.early_checkpoint = 4, .early_threshold = 0.5, .warning_threshold = 0.5, .warning_interval = 4});
  const auto findings = count(runs, "sfsf");
  REQUIRE(findings.size() == 1);
  CHECK_FALSE(findings[0].failed);
}

TEST_CASE("runs: percent is rounded as Python rounds it", "[validation]") {
  const auto text = [](std::uint64_t passed, std::uint64_t processed) {
    return validation::halt_text({{}, 0, FindingKind::checkpoint, processed, passed, true}, "x");
  };
  CHECK(text(1, 8) == "Early validation failed: 12% success rate after 8 x");
  CHECK(text(3, 8) == "Early validation failed: 38% success rate after 8 x");
  CHECK(text(1, 3) == "Early validation failed: 33% success rate after 3 x");
  CHECK(text(2, 3) == "Early validation failed: 67% success rate after 3 x");
}

TEST_CASE("runs: warnings come at every interval below the threshold, and only there", "[validation]") {
  Runs runs({.early_checkpoint = 0, .warning_threshold = 0.7, .warning_interval = 10});
  CHECK(count(runs, "ssssssssss").empty());
  const auto low = count(runs, "ffffffffff", 10);
  REQUIRE(low.size() == 1);
  CHECK(low[0].kind == FindingKind::warning);
  CHECK(low[0].processed == 20);
  CHECK(low[0].success_rate() == Approx(0.5));
}

TEST_CASE("runs: counts are kept per run id, and per source where none is given", "[validation]") {
  Runs runs({});
  (void)count(runs, "ff", 0, "a");
  (void)count(runs, "sss", 10, "b");
  CHECK(runs.run(runs.run_of("/x", "a")).processed == 2);
  CHECK(runs.run(runs.run_of("/y", "b")).passed == 3);
  runs.begin("/source", "c", id(100));
  (void)count(runs, "s", 20);  // belongs to c, which this source began
  CHECK(runs.run(runs.run_of("/z", "c")).processed == 1);
  CHECK(runs.run_of("/other", std::nullopt) != runs.run_of("/source", std::nullopt));
}

TEST_CASE("runs: a start sets the counts back, another worker joining the run does not", "[validation]") {
  Runs runs({});
  runs.begin("/one", "r", id(1));
  (void)count(runs, "ff", 10, "r");
  runs.begin("/two", "r", id(2));
  CHECK(runs.run(runs.run_of("/two", std::nullopt)).processed == 2);
  runs.begin("/one", "r", id(3));
  CHECK(runs.run(runs.run_of("/one", std::nullopt)).processed == 0);
  CHECK(runs.run_of("/one", std::nullopt) == runs.run_of("/two", std::nullopt));
}

TEST_CASE("runs: a halted run that begins again is not halted any more", "[validation]") {
  Runs runs({});
  (void)count(runs, "fffff", 0, "r");
  REQUIRE(runs.any_halted());
  runs.begin("/source", "r", id(50));
  CHECK_FALSE(runs.any_halted());
}

TEST_CASE("runs: the journal and its snapshot give the same state again", "[validation]") {
  const Rules rules{.early_checkpoint = 5, .early_threshold = 0.5, .warning_threshold = 0.7, .warning_interval = 10};
  Runs runs(rules);
  runs.begin("/source", "odd\nname \\ 1", id(1000));
  (void)count(runs, "sssffffffff");
  (void)count(runs, "fffff", 100, "halted");
  const std::string journal = runs.take_journal();
  for (const std::string& text : {journal, runs.snapshot(), replayed(journal, rules).snapshot()}) {
    Runs again = replayed(text, rules);
    CHECK(again.run(again.run_of("/source", std::nullopt)).processed == 11);
    CHECK(again.run(again.run_of("/source", std::nullopt)).passed == 3);
    CHECK(again.run(again.run_of("/source", std::nullopt)).id == "odd\nname \\ 1");
    CHECK(again.run(again.run_of("/x", "halted")).halted);
    CHECK(again.any_halted());
    CHECK(again.seen(id(3)));
    CHECK(again.seen(id(1000)));
    CHECK_FALSE(again.seen(id(999)));
    std::vector<Finding> recalled;
    again.recall(id(104), recalled);
    REQUIRE(recalled.size() == 1);
    CHECK(recalled[0].failed);
  }
}

TEST_CASE("runs: lines that say nothing known are refused", "[validation]") {
  Runs runs({});
  for (const char* line : {"", "X", "R", "R x - 0 ", "S 7 /unknown-run", "+ 0", "T 1", "I 12", "C 1", "+ 0 zz 1"}) {
    CHECK_FALSE(runs.replay(line));
  }
}

TEST_CASE("runs: any number of runs and sources keeps to the bound", "[validation]") {
  Runs runs({});
  for (int i = 0; i < 20'000; ++i) (void)runs.run_of("/s" + std::to_string(i), std::nullopt);
  const std::string snapshot = runs.snapshot();
  CHECK(static_cast<std::size_t>(std::count(snapshot.begin(), snapshot.end(), '\n')) <=
        2 * Runs::kRunsMax + Runs::kSourcesMax);
}

TEST_CASE("runs: without a journal nothing is written, and the counts are the same", "[validation]") {
  Runs runs({}, false);
  runs.begin("/source", "r", id(1000));
  runs.begin("/other", "r", id(1001));
  CHECK(count(runs, "sssff").size() == 1);
  CHECK(runs.run(runs.run_of("/source", std::nullopt)).processed == 5);
  CHECK(runs.take_journal().empty());
}

TEST_CASE("runs: a source is found again after any other came, went or began its run again", "[validation]") {
  Runs runs({.early_checkpoint = 0, .warning_interval = 0});
  std::uint64_t next_id = 0;
  const auto count_one = [&](const std::string& source) {
    std::vector<Finding> findings;
    const std::uint32_t run = runs.run_of(source, std::nullopt);
    runs.count(run, id(next_id++), true, findings);
    return runs.run(run).processed;
  };
  // The same last characters, so that they meet wherever a source is remembered by these.
  const std::string a = "/a/worker-07", b = "/b/worker-07";
  for (std::uint64_t n = 1; n <= 3; ++n) {
    CHECK(count_one(a) == n);
    CHECK(count_one(b) == n);
  }
  runs.begin(a, "run", id(next_id++));
  CHECK(count_one(a) == 1);
  CHECK(count_one(b) == 4);
  runs.begin(a, "run", id(next_id++));
  CHECK(count_one(a) == 1);
  for (std::size_t i = 0; i < Runs::kSourcesMax; ++i) (void)count_one("/c" + std::to_string(i));
  CHECK(count_one(a) == 1);  // forgotten, used longest ago
  CHECK(count_one("/c" + std::to_string(Runs::kSourcesMax - 1)) == 2);
}

TEST_CASE("id window: knows the newest ids, forgets the older ones and takes no new one for a known one",
          "[validation]") {
  IdWindow window;
  CHECK_FALSE(window.contains(id(0)));
  const std::uint64_t many = 1'000'000;
  for (std::uint64_t n = 0; n < many; ++n) {
    const bool known_before = window.contains(id(n));
    window.add(id(n));
    // Also in the moment when a generation is full, and when it has just gone.
    const std::uint64_t newest = std::min<std::uint64_t>(n + 1, IdWindow::kIdsMin);
    if (known_before || !window.contains(id(n + 1 - newest)) || window.size() < newest ||
        window.size() > IdWindow::kIdsMax) {
      FAIL("at id " << n);
    }
  }
  std::uint64_t wrong = 0;
  for (std::uint64_t n = 0; n < many; ++n) wrong += window.contains(id(n)) != (n >= many - window.size());
  CHECK(wrong == 0);
  for (std::uint32_t i = 0; i < window.size(); ++i) wrong += !(window[i] == id(many - window.size() + i));
  CHECK(wrong == 0);
}

TEST_CASE("id window: a snapshot holds the newest ids and no more", "[validation]") {
  Runs runs({.early_checkpoint = 0, .warning_interval = 0}, false);
  std::vector<Finding> findings;
  const std::uint64_t many = IdWindow::kIdsMax - 1;
  for (std::uint64_t n = 0; n < many; ++n) runs.count(runs.run_of("/source", std::nullopt), id(n), true, findings);
  const Runs again = replayed(runs.snapshot(), {});
  CHECK(again.seen(id(many - 1)));
  CHECK(again.seen(id(many - IdWindow::kIdsMin)));
  CHECK_FALSE(again.seen(id(many - IdWindow::kIdsMin - 1)));
}

TEST_CASE("identity: every byte of source and id matters, and where one ends and the other begins", "[validation]") {
  std::set<std::uint64_t> highs, lows;
  std::size_t all = 0;
  const auto take = [&](std::string_view source, std::string_view id) {
    const IdHash hash = validation::hash_identity(source, id);
    highs.insert(hash.high);
    lows.insert(hash.low);
    ++all;
  };
  const std::string text = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    for (std::size_t cut = 0; cut <= length; ++cut) take(text.substr(0, cut), text.substr(cut, length - cut));
    for (std::size_t at = 0; at < length; ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string other = text.substr(0, length);
        other[at] = static_cast<char>(other[at] ^ 1 << bit);
        take("/source", other);
      }
    }
  }
  CHECK(highs.size() == all);
  CHECK(lows.size() == all);
}
