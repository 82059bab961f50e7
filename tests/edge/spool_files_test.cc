// A spool in a real folder: what a crash, a flipped bit, a second owner and a person with `sluice spool` find there.
#include "catch.hh"

#include "core/setup_error.hh"
#include "core/spool_log.hh"
#include "edge/command_line.hh"
#include "edge/spool_commands.hh"
#include "edge/spool_files.hh"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sluice;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/sluice-spool-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
  std::string path;
};

std::string json_of(std::uint64_t number) {
  return R"({"specversion":"1.0","id":"e)" + std::to_string(number) + R"(","source":"/s","type":"t"})";
}

/// `count` records, synced, of which the first `completed` are done; then the process is gone.
void fill(const std::string& folder, int count, std::uint64_t completed = 0, SpoolBounds bounds = {1 << 20, 4096}) {
  SpoolFiles files(folder);
  SpoolLog log(files, bounds);
  REQUIRE(log.open().ok());
  for (int i = 0; i < count; ++i) {
    log.add(1'767'225'600'000'000'000, 0, json_of(log.next()));
    REQUIRE(log.write(1).ok());
    if (log.wants_new_segment()) REQUIRE(log.sync().ok());
  }
  REQUIRE(log.sync().ok());
  log.complete(1, 1 + completed);
  REQUIRE(log.write_cursor(true).ok());
}

std::vector<std::uint64_t> open_records(SpoolLog& log) {
  std::vector<std::uint64_t> out;
  SpoolRecord record;
  for (std::uint64_t from = 0; log.read_open(from, record) == SpoolLog::Read::record; from = record.number + 1) {
    CHECK(record.json == json_of(record.number));
    out.push_back(record.number);
  }
  return out;
}

std::vector<std::string> segments_in(const std::string& folder, const std::string& suffix = ".seg") {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().string().ends_with(suffix)) out.push_back(entry.path().string());
  }
  std::ranges::sort(out);
  return out;
}

void flip(const std::string& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const char c = static_cast<char>(file.get() ^ 2);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(c);
}

struct Said {
  int code = 0;
  std::string out;
};
Said spool(SpoolCommand::What what, const std::string& path, bool all = false, bool rejected = false) {
  SpoolCommand command;
  command.what = what;
  command.paths = {path};
  command.all = all;
  command.rejected = rejected;
  std::ostringstream out, err;
  const int code = spool_command(command, out, err);
  return {code, out.str()};
}

}  // namespace

TEST_CASE("spool files: what one process wrote the next one reads, and what is completed it does not",
          "[edge][spool]") {
  const Folder folder;
  fill(folder.path + "/deep/spool", 100, 30);
  SpoolFiles files(folder.path + "/deep/spool");
  SpoolLog log(files, {1 << 20, 4096});
  REQUIRE(log.open().ok());
  const auto left = open_records(log);
  REQUIRE(left.size() == 70);
  CHECK(left.front() == 31);
  log.complete(1, 101);
  REQUIRE(log.tidy(true).ok());
  CHECK(segments_in(folder.path + "/deep/spool").empty());
}

TEST_CASE("spool files: a tail torn at any byte of the last record is put aside, and nothing before it is lost",
          "[edge][spool]") {
  const Folder folder;
  const std::string whole = folder.path + "/whole";
  fill(whole, 5);
  const std::string name = fs::path(segments_in(whole).at(0)).filename().string();
  const std::uint64_t size = fs::file_size(whole + "/" + name);
  const std::uint64_t last = size - record_bytes(json_of(5).size());
  for (std::uint64_t end = last; end < size; ++end) {
    const std::string torn = folder.path + "/torn";
    fs::copy(whole, torn);
    fs::resize_file(torn + "/" + name, end);
    {
      SpoolFiles files(torn);
      SpoolLog log(files, {1 << 20, 4096});
      REQUIRE(log.open().ok());
      REQUIRE(open_records(log) == std::vector<std::uint64_t>{1, 2, 3, 4});
      REQUIRE(log.take_damage().size() == (end == last ? 0 : 1));
      REQUIRE(fs::exists(torn + "/" + name + ".torn") == (end != last));
      log.add(1, 0, json_of(5));
      REQUIRE(log.write(1).ok());
      REQUIRE(log.sync().ok());
      REQUIRE(open_records(log).size() == 5);
    }
    fs::remove_all(torn);
  }
}

TEST_CASE("spool files: a flipped bit costs its record; the segment stays for people", "[edge][spool]") {
  const Folder folder;
  fill(folder.path, 200);
  const std::vector<std::string> segments = segments_in(folder.path);
  REQUIRE(segments.size() > 2);
  flip(segments[1], 200);
  const Said checked = spool(SpoolCommand::What::fsck, folder.path);
  CHECK(checked.code == 1);
  CHECK(checked.out.find("hold no whole record") != std::string::npos);
  SpoolFiles files(folder.path);
  SpoolLog log(files, {1 << 20, 4096});
  REQUIRE(log.open().ok());
  CHECK(open_records(log).size() == 199);
  log.complete(1, 201);
  REQUIRE(log.tidy(true).ok());
  CHECK(segments_in(folder.path).empty());
  CHECK(segments_in(folder.path, ".seg.corrupt").size() == 1);
}

TEST_CASE("spool files: a second owner is refused with the number of the first", "[edge][spool]") {
  const Folder folder;
  SpoolFiles first(folder.path);
  SpoolListing listing;
  REQUIRE(first.open(listing).ok());
  SpoolFiles second(folder.path);
  const SpoolAnswer answer = second.open(listing);
  CHECK(answer.text.find("is in use by process " + std::to_string(::getpid())) != std::string::npos);
  first.close();
  CHECK(second.open(listing).ok());
}

TEST_CASE("spool files: a cursor that a crash left half replaced is not read", "[edge][spool]") {
  const Folder folder;
  fill(folder.path, 10, 4);
  std::ofstream(folder.path + "/cursor.new") << "SLUICEC1 half";
  SpoolFiles files(folder.path);
  SpoolLog log(files, {1 << 20, 4096});
  REQUIRE(log.open().ok());
  CHECK(open_records(log).size() == 6);
  CHECK(log.take_damage().empty());
}

TEST_CASE("spool files: a torn line of rejected events does not swallow the next one", "[edge][spool]") {
  const Folder folder;
  fill(folder.path, 1);
  std::ofstream(folder.path + "/rejected.jsonl") << "{\"torn";
  SpoolFiles files(folder.path);
  SpoolListing listing;
  REQUIRE(files.open(listing).ok());
  REQUIRE(files.add_rejected("{\"id\":\"whole\"}\n").ok());
  CHECK(spool(SpoolCommand::What::cat, folder.path, false, true).out == "{\"torn\n{\"id\":\"whole\"}\n");
}

TEST_CASE("spool files: a folder that cannot be made or a file in its place is said with its path", "[edge][spool]") {
  const Folder folder;
  std::ofstream(folder.path + "/file") << "x";
  SpoolFiles files(folder.path + "/file/spool");
  SpoolListing listing;
  const SpoolAnswer answer = files.open(listing);
  CHECK(answer.fault == SpoolFault::broken);
  CHECK(answer.text.find(folder.path + "/file/spool") != std::string::npos);
}

TEST_CASE("spool commands: ls counts, cat prints what is open, fsck is content", "[edge][spool]") {
  const Folder folder;
  fill(folder.path + "/hook[0]", 100, 98);
  fill(folder.path + "/hook[1]", 3);
  const Said listed = spool(SpoolCommand::What::ls, folder.path);  // the folder of a list: one spool for each element
  CHECK(listed.code == kClean);
  CHECK(listed.out.find("2 open of ") != std::string::npos);
  CHECK(listed.out.find("position 99") != std::string::npos);
  CHECK(listed.out.find("3 open of 3 records") != std::string::npos);
  CHECK(listed.out.find("2026-01-01T00:00:00.000Z") != std::string::npos);
  CHECK(spool(SpoolCommand::What::fsck, folder.path).code == kClean);
  CHECK(spool(SpoolCommand::What::cat, folder.path + "/hook[0]").out == json_of(99) + "\n" + json_of(100) + "\n");
  const std::string all = spool(SpoolCommand::What::cat, folder.path + "/hook[1]", true).out;
  CHECK(std::ranges::count(all, '\n') == 3);
}

TEST_CASE("spool commands: an unfinished write, a missing segment and a damaged cursor are each named",
          "[edge][spool]") {
  const Folder folder;
  fill(folder.path, 200);
  const std::vector<std::string> segments = segments_in(folder.path);
  fs::remove(segments[1]);
  fs::resize_file(segments.back(), fs::file_size(segments.back()) - 3);
  flip(folder.path + "/cursor", 9);
  const Said checked = spool(SpoolCommand::What::fsck, folder.path);
  CHECK(checked.code == 1);
  CHECK(checked.out.find("are missing") != std::string::npos);
  CHECK(checked.out.find("unfinished write") != std::string::npos);
  CHECK(checked.out.find("cursor: is damaged") != std::string::npos);
}

TEST_CASE("spool commands: what is no spool is refused by name", "[edge][spool]") {
  const Folder folder;
  std::string said;
  try {
    (void)spool(SpoolCommand::What::ls, folder.path);
  } catch (const SetupError& error) {
    said = error.what();
    CHECK(error.code() == kUsage);
  }
  CHECK(said.find("is no spool") != std::string::npos);
  const Command none = parse_command_line({"spool", "ls"}, "1");
  REQUIRE(std::holds_alternative<Answer>(none));
  CHECK(std::get<Answer>(none).text.find("--config CONFIG") != std::string::npos);
  const Command cat = parse_command_line({"spool", "cat", "--rejected", "a", "b"}, "1");
  REQUIRE(std::holds_alternative<SpoolCommand>(cat));
  CHECK(std::get<SpoolCommand>(cat).rejected);
  CHECK(std::get<SpoolCommand>(cat).paths == std::vector<std::string>{"a", "b"});
}

TEST_CASE("spool files: what is under way outlives the process that noted it, and a torn note says nothing") {
  const Folder folder;
  SpoolListing listing;
  {
    SpoolFiles files(folder.path);
    CHECK(files.under_way() == nullptr);  // nobody owns the folder yet
    REQUIRE(files.open(listing).ok());
    REQUIRE(files.under_way() != nullptr);
    CHECK(files.under_way()->count.load() == 0);
    files.under_way()->begin(5, 2);
  }
  {
    SpoolFiles files(folder.path);
    REQUIRE(files.open(listing).ok());
    REQUIRE(files.under_way() != nullptr);
    CHECK(files.under_way()->first.load() == 5);
    CHECK(files.under_way()->count.load() == 2);
  }
  fs::resize_file(folder.path + "/" + kUnderWayName, 9);
  SpoolFiles files(folder.path);
  REQUIRE(files.open(listing).ok());
  REQUIRE(files.under_way() != nullptr);
  CHECK(files.under_way()->first.load() == 0);
  CHECK(files.under_way()->count.load() == 0);
}
