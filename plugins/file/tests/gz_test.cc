// Source file on gzip files.
#include "catch.hh"
#include "folder.hh"
#include "plugin_rig.hh"

#include <zlib.h>

#include <string>
#include <vector>

namespace {

using Texts = std::vector<std::string>;

void append_gz(const std::string& path, const std::string& text) {
  gzFile out = gzopen(path.c_str(), "ab");
  REQUIRE(gzwrite(out, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
  gzclose(out);
}

Texts numbered(int count) {
  Texts all;
  for (int i = 0; i < count; ++i) all.push_back("{\"n\":" + std::to_string(i) + "}");
  return all;
}
std::string joined(const Texts& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

struct Source {
  Source(const std::string& path, const std::string& more)
      : node(rig::class_of(*sluice_module_v1(), "file"), R"({"paths":[")" + path + "\"]" + more + "}", host) {
    node.start();
  }
  Texts read(std::uint32_t settle_max = UINT32_MAX) {
    Texts all;
    for (int round = 0; round < 100'000; ++round) {
      node.poll(0);
      rig::Writer out;
      status = node.pull(out);
      for (auto& text : out.texts()) all.push_back(std::move(text));
      const std::uint32_t now = std::min(out.count, settle_max);
      node.settle(out, SLUICE_WAS_DELIVERED, 0, now);
      settle_max -= now;
      if (status != SLUICE_OK && status != SLUICE_AGAIN) break;
      if (status == SLUICE_AGAIN && round > 200) break;
    }
    return all;
  }
  rig::Host host;
  rig::Node node;
  sluice_status status = SLUICE_OK;
};

const std::string kStop = R"(,"stop_at_end":true)";

}  // namespace

TEST_CASE("gz: a file of several gzip members is read whole, whatever its name", "[file]") {
  const Folder folder;
  const Texts lines = numbered(50'000);
  append_gz(folder / "a.log", joined({lines.begin(), lines.begin() + 20'000}));
  append_gz(folder / "a.log", joined({lines.begin() + 20'000, lines.end()}));
  Source source(folder / "a.log", kStop);
  CHECK(source.read() == lines);
  CHECK(source.status == SLUICE_END);
}

TEST_CASE("gz: a restart goes on behind the last settled line", "[file]") {
  const Folder folder;
  const Texts lines = numbered(300'000);
  append_gz(folder / "a.gz", joined(lines));
  const std::string more = kStop + R"(,"checkpoint":")" + (folder / "checkpoint") + "\"";
  Texts first;
  {
    Source source(folder / "a.gz", more);
    first = source.read(290'000);
    CHECK(first.size() == lines.size());
  }
  Source again(folder / "a.gz", more);
  CHECK(again.read() == Texts(lines.begin() + 290'000, lines.end()));
}

TEST_CASE("gz: a file whose end is missing gives what is there, and says so", "[file]") {
  const Folder folder;
  const Texts lines = numbered(50'000);
  append_gz(folder / "whole.gz", joined(lines));
  const std::string bytes = read(folder / "whole.gz");
  write(folder / "half.gz", bytes.substr(0, bytes.size() / 2));
  Source source(folder / "half.gz", kStop);
  const Texts got = source.read();
  REQUIRE(got.size() > 100);
  CHECK(Texts(got.begin(), got.end() - 1) == Texts(lines.begin(), lines.begin() + static_cast<long>(got.size()) - 1));
  CHECK(source.host.logged("the gzip file is incomplete"));
}

TEST_CASE("gz: damage in the middle is reported and ends the file", "[file]") {
  const Folder folder;
  append_gz(folder / "a.gz", joined(numbered(50'000)));
  std::string bytes = read(folder / "a.gz");
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 2000 && i < bytes.size(); ++i) bytes[i] = '\x55';
  write(folder / "a.gz", bytes);
  Source source(folder / "a.gz", kStop);
  (void)source.read();
  CHECK(source.status == SLUICE_END);
  CHECK(source.host.logged("the gzip file is damaged"));
}
