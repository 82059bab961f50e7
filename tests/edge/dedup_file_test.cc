// The file of delivered keys: what it keeps over a kill, what it does about damage, and who may have it.
#include "edge/dedup_file.hh"

#include "catch.hh"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

using namespace sluice;
using std::chrono::hours;

namespace {

class SpokenLog final : public Log {
 public:
  std::vector<std::string> lines;
  [[nodiscard]] bool enabled(Level) const noexcept override { return true; }
  void write(Level, std::string_view sentence, std::span<const Field>) noexcept override {
    lines.emplace_back(sentence);
  }
};

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/sluice-dedup-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string file() const { return path + "/keys.db"; }
};

KeyHash key(std::uint64_t n) { return {n, ~n}; }

std::vector<KeyHash> keys(std::uint64_t from, std::uint64_t count) {
  std::vector<KeyHash> made;
  for (std::uint64_t n = from; n < from + count; ++n) made.push_back(key(n));
  return made;
}

std::vector<std::pair<KeyHash, std::int64_t>> loaded(DedupFile& file) {
  std::vector<std::pair<KeyHash, std::int64_t>> out;
  file.load([&](const KeyHash& each, std::int64_t at_ms) { out.emplace_back(each, at_ms); });
  return out;
}

constexpr std::uint64_t kMany = 1'000'000;

}  // namespace

TEST_CASE("dedup file: what was recorded is there again, in its order", "[edge][dedup]") {
  const Folder folder;
  SpokenLog log;
  {
    DedupFile file(folder.file(), hours(1), kMany, log);
    REQUIRE(file.start({}).ok());
    CHECK(loaded(file).empty());
    REQUIRE(file.record(keys(1, 300), 1000).ok());
    REQUIRE(file.record(keys(301, 1), 2000).ok());
  }
  DedupFile file(folder.file(), hours(1), kMany, log);
  REQUIRE(file.start({}).ok());
  const auto all = loaded(file);
  REQUIRE(all.size() == 301);
  CHECK(all[0] == std::pair(key(1), std::int64_t{1000}));
  CHECK(all[300] == std::pair(key(301), std::int64_t{2000}));
  CHECK(log.lines.empty());
}

TEST_CASE("dedup file: a killed process loses no key that it was told is recorded", "[edge][dedup]") {
  const Folder folder;
  for (int round = 0; round < 5; ++round) {
    int news[2];
    REQUIRE(::pipe(news) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {  // records batches for ever and says how many are safe
      SpokenLog log;
      DedupFile file(folder.file(), hours(1), kMany, log);
      if (!file.start({}).ok()) ::_exit(1);
      std::uint64_t next = loaded(file).size();
      for (;;) {
        if (!file.record(keys(next, 50), 1).ok()) ::_exit(2);
        next += 50;
        if (::write(news[1], &next, sizeof next) != sizeof next) ::_exit(3);
      }
    }
    ::close(news[1]);
    std::uint64_t safe = 0;
    for (int batch = 0; batch < 10 + 7 * round; ++batch) {
      REQUIRE(::read(news[0], &safe, sizeof safe) == static_cast<ssize_t>(sizeof safe));
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    std::uint64_t later = 0;
    while (::read(news[0], &later, sizeof later) == static_cast<ssize_t>(sizeof later)) safe = later;
    ::close(news[0]);

    SpokenLog log;
    DedupFile file(folder.file(), hours(1), kMany, log);
    REQUIRE(file.start({}).ok());
    const auto all = loaded(file);
    REQUIRE(all.size() >= safe);
    REQUIRE(all.size() % 50 == 0);  // a batch is there whole or not at all
    for (std::uint64_t n = 0; n < all.size(); ++n) REQUIRE(all[n].first == key(n));
  }
}

TEST_CASE("dedup file: one process at a time; the other is named", "[edge][dedup]") {
  const Folder folder;
  SpokenLog log;
  DedupFile first(folder.file(), hours(1), kMany, log);
  REQUIRE(first.start({}).ok());
  DedupFile second(folder.file(), hours(1), kMany, log);
  const Status status = second.start({});
  CHECK(status.code == SLUICE_FAILED);
  CHECK(status.text.find(folder.file() + " is in use by another process (" + std::to_string(::getpid()) + ")") !=
        std::string::npos);
}

TEST_CASE("dedup file: a damaged file is set aside and reported, and a new one begun", "[edge][dedup]") {
  const Folder folder;
  SpokenLog log;
  std::ofstream(folder.file()) << std::string(8192, 'x');
  {
    DedupFile file(folder.file(), hours(1), kMany, log);
    const Status status = file.start({});
    CHECK(status.ok());
    CHECK(status.text.find("set aside as " + folder.file() + ".corrupt") != std::string::npos);
    REQUIRE(log.lines.size() == 1);
    CHECK(loaded(file).empty());
    REQUIRE(file.record(keys(1, 3000), 1).ok());
  }
  CHECK(std::filesystem::file_size(folder.file() + ".corrupt") == 8192);
  {  // the same with a page overwritten in the middle
    std::fstream damaged(folder.file(), std::ios::in | std::ios::out);
    damaged.seekp(8192);
    damaged << std::string(30'000, 'y');
  }
  DedupFile file(folder.file(), hours(1), kMany, log);
  CHECK(file.start({}).ok());
  CHECK(loaded(file).empty());
  CHECK(file.record(keys(1, 1), 1).ok());
  CHECK(std::filesystem::exists(folder.file() + ".corrupt2"));
}

TEST_CASE("dedup file: a folder that is not there is a failure that names the file", "[edge][dedup]") {
  SpokenLog log;
  DedupFile file("/nowhere/at/all/keys.db", hours(1), kMany, log);
  const Status status = file.start({});
  CHECK(status.code == SLUICE_FAILED);
  CHECK(status.text.find("/nowhere/at/all/keys.db") != std::string::npos);
}

TEST_CASE("dedup file: expired keys go in bounded steps, and so does what is too much", "[edge][dedup]") {
  const Folder folder;
  SpokenLog log;
  DedupFile file(folder.file(), hours(1), 2000, log);
  REQUIRE(file.start({}).ok());
  REQUIRE(file.record(keys(0, 12'000), 1).ok());
  REQUIRE(file.record(keys(12'000, 1000), 3'600'000).ok());
  CHECK(loaded(file).size() == 2000);
  CHECK(file.tidy(3'600'000));
  CHECK(file.tidy(3'600'000));
  CHECK_FALSE(file.tidy(3'600'000));
  CHECK(loaded(file).size() == 2000);
  CHECK_FALSE(file.tidy(3'600'001));
  const auto left = loaded(file);
  CHECK(left.size() == 1000);
  CHECK(left.front().first == key(12'000));
}

TEST_CASE("dedup file: one of a newer version is refused and left as it is", "[edge][dedup]") {
  const Folder folder;
  {
    Sqlite newer(folder.file());
    newer.set_version(9);
  }
  SpokenLog log;
  DedupFile file(folder.file(), hours(1), kMany, log);
  CHECK(file.start({}).text.find("was made by a newer version") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder.file() + ".corrupt"));
}
