// The state file of the C++ layer: what it keeps, what it makes good, what it refuses.
#include <sluice/cpp/journal_file.hh>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "catch.hh"

namespace {

constexpr sluice::JournalFormat kFormat{
    .header = "counts 2\n", .older_header = "counts 1\n", .cure = "to count anew", .growth_bytes_min = 100};

/// Counts words; a line names the word that was counted once more.
struct Counts {
  std::map<std::string, int> of;

  bool replay(std::string_view line) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return false;
    of[std::string(line.substr(0, space))] += std::stoi(std::string(line.substr(space + 1)));
    return true;
  }
  [[nodiscard]] std::string snapshot() const {
    std::string text;
    for (const auto& [word, count] : of) text += word + " " + std::to_string(count) + "\n";
    return text;
  }
  std::string count(const std::string& word) { return ++of[word], word + " 1\n"; }
};

struct Folder {
  Folder() {
    std::string made = (std::filesystem::temp_directory_path() / "sluice-journal-XXXXXX").string();
    REQUIRE(::mkdtemp(made.data()) != nullptr);
    path = made;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string file() const { return path / "deeper" / "state"; }
  [[nodiscard]] std::string text() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) const {
    std::filesystem::create_directories(path / "deeper");
    std::ofstream(file(), std::ios::binary) << text;
  }
  std::filesystem::path path;
};

std::map<std::string, int> read_back(const std::string& path) {
  Counts counts;
  sluice::JournalFile(path, kFormat).open(counts);
  return counts.of;
}

std::string refused(const std::string& path) {
  try {
    (void)read_back(path);
  } catch (const sluice::BadConfig& e) {
    return e.what();
  }
  return "opened";
}

}  // namespace

TEST_CASE("journal file: what was appended is there after any end, without a word of farewell") {
  const Folder folder;
  {
    Counts counts;
    sluice::JournalFile file(folder.file(), kFormat);
    file.open(counts);
    file.append(counts.count("a"), counts);
    file.append(counts.count("b") + counts.count("a"), counts);
    CHECK(folder.text() == "counts 2\na 1\nb 1\na 1\n");
  }
  CHECK(read_back(folder.file()) == std::map<std::string, int>{{"a", 2}, {"b", 1}});
  CHECK(folder.text() == "counts 2\na 2\nb 1\n");  // opening wrote it anew
}

TEST_CASE("journal file: half a last line is left out, wherever the kill fell") {
  const Folder folder;
  const std::string whole = "counts 2\na 1\nbb 17\n";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    folder.write(whole.substr(0, cut));
    const auto counts = read_back(folder.file());
    CHECK(counts.count("a") == (cut >= 13 ? 1u : 0u));
    CHECK(counts.count("bb") == (cut == whole.size() ? 1u : 0u));
  }
}

TEST_CASE("journal file: it is written anew when it has grown to several times what it says") {
  const Folder folder;
  Counts counts;
  sluice::JournalFile file(folder.file(), kFormat);
  file.open(counts);
  std::size_t longest = 0;
  for (int i = 0; i < 200; ++i) {
    file.append(counts.count("a"), counts);
    longest = std::max(longest, folder.text().size());
  }
  CHECK(longest < 200);
  CHECK(read_back(folder.file() + ".new").empty());  // nothing is left beside it
}

TEST_CASE("journal file: an append that failed is made good by the next one") {
  const Folder folder;
  Counts counts;
  sluice::JournalFile file(folder.file(), kFormat);
  file.open(counts);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{11, before.rlim_max};  // the disk is full in the middle of a line
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(file.append(counts.count("lost"), counts), std::system_error);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  file.append({}, counts);
  CHECK(folder.text() == "counts 2\nlost 1\n");
}

TEST_CASE("journal file: one owner at a time, the one who wrote it anew included") {
  const Folder folder;
  Counts counts;
  sluice::JournalFile file(folder.file(), kFormat);
  file.open(counts);
  CHECK_THROWS_AS(read_back(folder.file()), sluice::Away);
}

TEST_CASE("journal file: an older version is read, anything else refused with the cure") {
  const Folder folder;
  folder.write("counts 1\nold 3\n");
  CHECK(read_back(folder.file()) == std::map<std::string, int>{{"old", 3}});
  CHECK(folder.text() == "counts 2\nold 3\n");
  folder.write("counts 3\nnew 3\n");
  CHECK(refused(folder.file()) == "state " + folder.file() + " is not a state file of this program: give another path");
  CHECK(folder.text() == "counts 3\nnew 3\n");
  folder.write("counts 2\na 1\nnonsense\n");
  CHECK(refused(folder.file()) == "state " + folder.file() + ":3: damaged line: move the file away to count anew");
}

TEST_CASE("journal file: without a path nothing is kept") {
  Counts counts;
  sluice::JournalFile file("", kFormat);
  file.open(counts);
  file.append(counts.count("a"), counts);
  CHECK(counts.of.at("a") == 1);
}
