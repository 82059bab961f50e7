// Where a configuration puts spools and durable queues is tried by `check`, which makes nothing.
#include "edge/spool_folders.hh"

#include "catch.hh"
#include "edge/config_support.hh"

#include <sys/stat.h>

#include <filesystem>

using namespace sluice;
using namespace sluice_tests;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/sluice-folders-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// The lines of the trial, without the file's name.
std::string tried(const std::string& watch, const std::string& out) {
  const TextFile file("sluice: 1\nsources: {in: {class: generate}}\nconsumers:\n  watch:\n    class: metrics\n" +
                      std::string("    inputs: [in]\n") + watch +
                      "backends:\n  out:\n    class: \"null\"\n    inputs: [in]\n" + out);
  Loaded loaded = load_file(file.path);
  REQUIRE(loaded.ok());
  Problems problems;
  try_spool_folders(loaded.config, problems);
  std::string lines;
  for (const Problem& problem : problems) lines += to_line(problem).substr(file.path.size() + 1) + "\n";
  return lines;
}

}  // namespace

TEST_CASE("spool folders: what can be made or written passes, and nothing is made") {
  const Folder folder;
  fs::create_directory(folder / "there");
  CHECK(try_folder(folder / "there").obstacle.empty());
  CHECK(try_folder(folder / "new/deep/below").obstacle.empty());
  CHECK(try_folder("relative.queue").obstacle.empty());
  CHECK(tried("    queue: {kind: durable, path: " + (folder / "a/b") + "}\n", "").empty());
  CHECK_FALSE(fs::exists(folder / "new"));
  CHECK_FALSE(fs::exists(folder / "a"));
}

TEST_CASE("spool folders: a file where a folder must be is an error at the line that names it") {
  const Folder folder;
  std::ofstream(folder / "file") << "x";
  fs::create_symlink(folder / "gone", folder / "link");
  CHECK(tried("    queue: {kind: durable, path: " + (folder / "file") + "}\n", "") ==
        "7:34: consumers.watch.queue.path: the queue cannot be kept in \"" + (folder / "file") +
            "\": " + (folder / "file") + " is no folder; name another folder, or say queue: lossy\n");
  CHECK(tried("", "    delivery:\n      spool:\n        path: " + (folder / "file/below") + "\n") ==
        "13:15: backends.out.delivery.spool.path: the spool cannot be kept in \"" + (folder / "file/below") +
            "\": " + (folder / "file") + " is no folder; name another folder\n");
  CHECK(tried("    queue: {kind: durable, path: " + (folder / "link/q") + "}\n", "").find("leads nowhere") !=
        std::string::npos);
}

TEST_CASE("spool folders: a folder that this user may not write is a note") {
  if (::geteuid() == 0) return;  // who may do everything cannot try it
  const Folder folder;
  fs::create_directory(folder / "closed");
  ::chmod((folder / "closed").c_str(), 0555);
  const std::string lines = tried("    queue: {kind: durable, path: " + (folder / "closed/q") + "}\n", "");
  CHECK(lines.find("note: ") != std::string::npos);
  CHECK(lines.find("lets nothing be made in it") != std::string::npos);
}
