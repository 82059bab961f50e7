// Backend event_log on real files: whole lines, rotation, repair, a full disk, a second writer.
#include "catch.hh"
#include "folder.hh"
#include "plugin_rig.hh"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using Texts = std::vector<std::string>;

const sluice_class& log_class() { return rig::class_of(*sluice_module_v1(), "event_log"); }

std::string event(int i, std::size_t padding = 0) {
  return R"({"specversion":"1.0","id":")" + std::to_string(i) +
         R"(","source":"/t","type":"a.b","time":"2026-01-02T03:04:05Z","data":{"n":)" + std::to_string(i) +
         R"(,"p":")" + std::string(padding, 'x') + "\"}}";
}
Texts events(int first, int count, std::size_t padding = 0) {
  Texts all;
  for (int i = first; i < first + count; ++i) all.push_back(event(i, padding));
  return all;
}
std::string joined(const Texts& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

struct Log {
  explicit Log(const std::string& path, const std::string& more = "")
      : node(log_class(), R"({"path":")" + path + "\"" + more + "}", host) {
    node.start();
  }
  std::uint32_t publish(const Texts& texts) {
    const rig::Batch batch(texts, ticket);
    const std::uint32_t taken = node.publish(batch);
    ticket += taken;
    node.flush();
    return taken;
  }
  rig::Host host;
  rig::Node node;
  std::uint64_t ticket = 1;
};

std::vector<std::string> rotated(const Folder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().filename() != "log.jsonl") names.push_back(entry.path().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("event_log: appends one line per event, in folders that it makes, and completes what is written", "[file]") {
  const Folder folder;
  const std::string path = folder / "out/deep/log.jsonl";
  {
    Log log(path);
    CHECK(log.publish(events(0, 300)) == 300);
    CHECK(log.host.completed(SLUICE_OK) == 300);
  }
  Log again(path);
  CHECK(again.publish(events(300, 5)) == 5);
  CHECK(read(path) == joined(events(0, 305)));
}

TEST_CASE("event_log: gathers batches and writes nothing before flush, poll or a full block", "[file]") {
  const Folder folder;
  Log log(folder / "log.jsonl");
  const rig::Batch one(events(0, 10), 1), big(events(10, 200, 10'000), 11);
  CHECK(log.node.publish(one) == 10);
  log.node.poll(0);
  CHECK(log.host.completions.empty());
  CHECK(log.node.publish(big) == 200);  // 2 MB: the first block is full
  CHECK(log.host.completed(SLUICE_OK) > 10);
  log.node.flush();
  CHECK(log.host.completed(SLUICE_OK) == 210);
  CHECK(read(folder / "log.jsonl") == joined(events(0, 10)) + joined(events(10, 200, 10'000)));
}

TEST_CASE("event_log: writes the bus envelope", "[file]") {
  const Folder folder;
  Log log(folder / "log.jsonl", R"(,"format":"bus_event")");
  log.publish({event(7)});
  CHECK(read(folder / "log.jsonl") ==
        "{\"event_type\":\"a.b\",\"timestamp\":\"2026-01-02T03:04:05Z\",\"data\":{\"n\":7,\"p\":\"\"}}\n");
}

TEST_CASE("event_log: fsync settings deliver the same lines", "[file]") {
  const Folder folder;
  const std::string fsync = GENERATE("never", "interval", "every_batch");
  {
    Log log(folder / "log.jsonl", ",\"fsync\":\"" + fsync + "\"");
    log.publish(events(0, 10));
    log.host.advance_ms(2000);
    log.node.poll(0);
    CHECK(log.host.completed(SLUICE_OK) == 10);
  }
  CHECK(read(folder / "log.jsonl") == joined(events(0, 10)));
}

TEST_CASE("event_log: rotates before a file would pass rotate_bytes, and keeps as many as asked", "[file]") {
  const Folder folder;
  const std::size_t line = event(10).size() + 1;
  Log log(folder / "log.jsonl", ",\"rotate_bytes\":" + std::to_string(4 * line));
  CHECK(log.publish(events(10, 10)) == 10);
  CHECK(log.host.completed(SLUICE_OK) == 10);
  const auto old = rotated(folder);
  REQUIRE(old.size() == 2);
  CHECK(read(old[0]) == joined(events(10, 4)));
  CHECK(read(old[1]) == joined(events(14, 4)));
  CHECK(read(folder / "log.jsonl") == joined(events(18, 2)));
}

TEST_CASE("event_log: keep deletes the oldest rotated files and nothing else", "[file]") {
  const Folder folder;
  write(folder / "log.jsonl.mine", "not ours\n");
  Log log(folder / "log.jsonl", R"(,"rotate_bytes":1,"keep":2)");
  CHECK(log.publish(events(0, 6)) == 6);
  const auto left = rotated(folder);
  REQUIRE(left.size() == 3);
  CHECK(read(left[0]) == joined(events(3, 1)));
  CHECK(read(left[1]) == joined(events(4, 1)));
  CHECK(left[2] == folder / "log.jsonl.mine");
  CHECK(read(folder / "log.jsonl") == joined(events(5, 1)));
}

TEST_CASE("event_log: a new period begins a new file", "[file]") {
  const Folder folder;
  write(folder / "log.jsonl", joined(events(0, 2)));
  const timespec long_ago[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, (folder / "log.jsonl").c_str(), long_ago, 0) == 0);
  Log log(folder / "log.jsonl", R"(,"rotate_every":86400000)");
  log.publish(events(2, 1));
  REQUIRE(rotated(folder).size() == 1);
  CHECK(read(rotated(folder)[0]) == joined(events(0, 2)));
  CHECK(read(folder / "log.jsonl") == joined(events(2, 1)));
}

TEST_CASE("event_log: an unfinished last line is cut, kept aside and reported without its contents", "[file]") {
  const Folder folder;
  const std::string torn = R"({"specversion":"1.0","id":"secret)";
  write(folder / "log.jsonl", joined(events(0, 3)) + torn);
  Log log(folder / "log.jsonl");
  log.publish(events(3, 1));
  CHECK(read(folder / "log.jsonl") == joined(events(0, 4)));
  CHECK(read(folder / "log.jsonl.torn") == torn + "\n");
  CHECK(log.host.logged("cut an unfinished last line of " + std::to_string(torn.size()) + " bytes"));
  CHECK_FALSE(log.host.logged("secret"));
}

TEST_CASE("event_log: a whole last line that only lacks its newline is kept", "[file]") {
  const Folder folder;
  write(folder / "log.jsonl", joined(events(0, 1)) + event(1));
  Log log(folder / "log.jsonl");
  log.publish(events(2, 1));
  CHECK(read(folder / "log.jsonl") == joined(events(0, 3)));
}

TEST_CASE("event_log: repair never loses a whole line, wherever the crash cut", "[file]") {
  const std::string whole = joined(events(0, 3, 20));
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const Folder folder;
    write(folder / "log.jsonl", whole.substr(0, length));
    const Log log(folder / "log.jsonl");
    const std::string left = read(folder / "log.jsonl");
    const std::size_t lines =
        static_cast<std::size_t>(std::count(whole.begin(), whole.begin() + static_cast<long>(length), '\n'));
    REQUIRE(left.size() >= joined(events(0, static_cast<int>(lines), 20)).size());
    REQUIRE((left.empty() || left.back() == '\n'));
    REQUIRE(whole.compare(0, left.size(), left) == 0);
  }
}

TEST_CASE("event_log: a second writer is told whose file it is, until the first has ended", "[file]") {
  const Folder folder;
  rig::Host host;
  rig::Node second(log_class(), R"({"path":")" + (folder / "log.jsonl") + "\"}", host);
  {
    const Log first(folder / "log.jsonl");
    CHECK_THROWS_WITH(second.start(), Catch::Matchers::Contains("is being written by another process or node"));
    CHECK(second.status == SLUICE_AWAY);
  }
  CHECK_NOTHROW(second.start());
}

TEST_CASE("event_log: a file that was moved away is begun anew, not written on unseen", "[file]") {
  const Folder folder;
  Log log(folder / "log.jsonl");
  log.publish(events(0, 1));
  ::rename((folder / "log.jsonl").c_str(), (folder / "moved").c_str());
  log.publish(events(1, 1));
  CHECK(read(folder / "moved") == joined(events(0, 1)));
  CHECK(read(folder / "log.jsonl") == joined(events(1, 1)));
}

TEST_CASE("event_log: a place that cannot be written is refused with path and reason", "[file]") {
  const Folder folder;
  write(folder / "a-file", "");
  const auto refused = [](const std::string& path, const std::string& part) {
    rig::Host host;
    rig::Node node(log_class(), R"({"path":")" + path + "\"}", host);
    CHECK_THROWS_WITH(node.start(), Catch::Matchers::Contains(path) && Catch::Matchers::Contains(part));
    CHECK(node.status == SLUICE_BAD_CONFIG);
  };
  refused(folder.path(), "Is a directory");
  refused(folder / "a-file/log.jsonl", "Not a directory");
  refused("/dev/full", "is not a regular file");
}

TEST_CASE("event_log: on a full disk events are away, no half line stays, and it goes on when there is room",
          "[file]") {
  const Folder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
    WARN("mounting a small tmpfs is not permitted here: left out");
    return;
  }
  {
    const std::string blocker = folder / "blocker";
    write(blocker, std::string(200 * 1024, 'b'));
    Log log(folder / "log.jsonl");
    CHECK(log.publish(events(0, 10)) == 10);
    CHECK(log.host.completed(SLUICE_OK) == 10);
    (void)log.publish(events(10, 100, 1000));
    CHECK(log.host.completed(SLUICE_AWAY) == 100);
    CHECK(log.host.completions.back().reason.find("No space left on device") != std::string::npos);
    CHECK(read(folder / "log.jsonl") == joined(events(0, 10)));
    std::filesystem::remove(blocker);
    CHECK(log.publish(events(10, 100, 1000)) == 100);
    CHECK(log.host.completed(SLUICE_OK) == 110);
    CHECK(read(folder / "log.jsonl") == joined(events(0, 10)) + joined(events(10, 100, 1000)));
  }
  ::umount(folder.path().c_str());
}
