// Source file on real files: growing, rotated, truncated, resumed.
#include "catch.hh"
#include "folder.hh"
#include "plugin_rig.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace {

using Texts = std::vector<std::string>;

const sluice_class& file_class() { return rig::class_of(*sluice_module_v1(), "file"); }

/// A source on one folder. `more` are further members of its configuration.
struct Source {
  Source(const Folder& folder, const std::string& glob, const std::string& more = "")
      : node(file_class(), R"({"paths":[")" + (folder / glob) + R"("])" + more + "}", host) {
    node.start();
  }
  /// Everything that can be read now, settled with `outcome`.
  Texts read(std::uint32_t outcome = SLUICE_WAS_DELIVERED) {
    Texts all;
    node.poll(0);
    for (int round = 0; round < 10'000; ++round) {
      rig::Writer out;
      const sluice_status status = node.pull(out);
      for (auto& text : out.texts()) all.push_back(std::move(text));
      for (std::uint32_t i = 0; i < out.count; ++i) positions.emplace_back(sluice::view(out[i].position));
      node.settle(out, outcome);
      ended = status == SLUICE_END;
      if (status != SLUICE_OK) break;
    }
    return all;
  }
  /// The same, after every interval of the source has passed.
  Texts read_later(std::uint64_t ms = 60'000) {
    host.advance_ms(ms);
    node.poll(0);
    return read();
  }
  rig::Host host;
  rig::Node node;
  Texts positions;
  bool ended = false;
};

std::string checkpoint(const Folder& folder) { return R"(,"checkpoint":")" + (folder / "checkpoint") + "\""; }
const std::string kStop = R"(,"stop_at_end":true)";

}  // namespace

TEST_CASE("file: the bytes that are not settled yet are a metric", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "{\"n\":1}\n{\"n\":2}\n");
  append(folder / "b.jsonl", "{\"n\":3}\n");
  Source source(folder, "*.jsonl");
  const auto lag = [&] {
    source.host.advance_ms(1'000);
    source.node.poll(0);
    return source.host.cell("source_lag_bytes")->value;
  };
  CHECK(lag() == 24);
  CHECK(source.read(SLUICE_NOT_DELIVERED).size() == 3);
  CHECK(lag() == 24);
  CHECK(source.read_later().size() == 3);
  CHECK(lag() == 0);
  append(folder / "b.jsonl", "{\"n\":4}\n{\"n\"");
  CHECK(lag() == 12);
}

TEST_CASE("file: reads what is there and then what is added, whole lines only", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "{\"n\":1}\r\n\n{\"n\":2}\n{\"n\"");
  Source source(folder, "a.jsonl");
  CHECK(source.read() == Texts{"{\"n\":1}", "{\"n\":2}"});
  CHECK(source.read().empty());
  append(folder / "a.jsonl", ":3}\n{\"n\":4}\n");
  CHECK(source.read_later() == Texts{"{\"n\":3}", "{\"n\":4}"});
  CHECK_FALSE(source.ended);
}

TEST_CASE("file: growth is noticed at once, before poll_interval", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n");
  Source source(folder, "a.jsonl");
  CHECK(source.read() == Texts{"1"});
  append(folder / "a.jsonl", "2\n");
  source.node.poll(10'000);  // comes back by the notice: the clock of the test stands still
  CHECK(source.read() == Texts{"2"});
}

TEST_CASE("file: with stop_at_end the last line counts without a newline, and the input ends", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n2");
  append(folder / "b.jsonl", "");
  append(folder / "c.jsonl", "3\n");
  Source source(folder, "*.jsonl", kStop);
  Texts all = source.read();
  std::sort(all.begin(), all.end());
  CHECK(all == Texts{"1", "2", "3"});
  CHECK(source.ended);
}

TEST_CASE("file: from: end skips what was there at the start, but not a file that appears later", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "old\n");
  Source source(folder, "*.jsonl", R"(,"from":"end")");
  CHECK(source.read().empty());
  append(folder / "a.jsonl", "new\n");
  append(folder / "b.jsonl", "first\n");
  Texts all = source.read_later();
  std::sort(all.begin(), all.end());
  CHECK(all == Texts{"first", "new"});
}

TEST_CASE("file: a renamed file is read to its end before the one that took its name", "[file]") {
  const Folder folder;
  append(folder / "app.log", "1\n");
  Source source(folder, "app.log");
  CHECK(source.read() == Texts{"1"});
  append(folder / "app.log", "2\n");
  ::rename((folder / "app.log").c_str(), (folder / "app.log.1").c_str());
  append(folder / "app.log", "3\n");
  Texts all = source.read_later(1000);
  append(folder / "app.log.1", "late\nunfinished");  // a writer that had it open
  for (const auto& text : source.read_later(1000)) all.push_back(text);
  CHECK(Texts(all.begin(), all.begin() + 2) == Texts{"2", "3"});
  CHECK(std::count(all.begin(), all.end(), "late") == 1);
  // When its writer has surely gone, what is left of a line counts too.
  CHECK(source.read_later() == Texts{"unfinished"});
}

TEST_CASE("file: a truncated file is read again from its beginning", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "first of all\nsecond\n");
  Source source(folder, "a.jsonl");
  CHECK(source.read().size() == 2);
  SECTION("when it is shorter than before") {
    write(folder / "a.jsonl", "new\n");
    CHECK(source.read_later() == Texts{"new"});
  }
  SECTION("when it has already grown past the old place") {
    write(folder / "a.jsonl", "another first line\nand more than there was before\n");
    CHECK(source.read_later() == Texts{"another first line", "and more than there was before"});
  }
  CHECK(source.host.logged("was truncated"));
  // The same offset names another event now.
  CHECK(std::set<std::string>(source.positions.begin(), source.positions.end()).size() == source.positions.size());
}

TEST_CASE("file: a restart goes on behind the last settled line", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n2\n3\n");
  {
    Source source(folder, "a.jsonl", checkpoint(folder));
    rig::Writer out;
    REQUIRE(source.node.pull(out) == SLUICE_OK);
    REQUIRE(out.count == 3);
    source.node.settle(out, SLUICE_WAS_DELIVERED, 0, 2);  // the third is still in flight when the host ends
  }
  Source again(folder, "a.jsonl", checkpoint(folder));
  CHECK(again.read() == Texts{"3"});
  CHECK(again.read().empty());
}

TEST_CASE("file: positions are the same after a restart", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n2\n");
  Source first(folder, "a.jsonl");
  Source second(folder, "a.jsonl");
  (void)first.read();
  (void)second.read();
  CHECK(first.positions == second.positions);
  CHECK(first.positions.size() == 2);
}

TEST_CASE("file: the checkpoint never passes a line that was not delivered", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n2\n3\n");
  {
    Source source(folder, "a.jsonl", checkpoint(folder));
    rig::Writer out;
    REQUIRE(source.node.pull(out) == SLUICE_OK);
    source.node.settle(out, SLUICE_WAS_DELIVERED, 0, 1);
    source.node.settle(out, SLUICE_NOT_DELIVERED, 1, 2);
    source.node.settle(out, SLUICE_WAS_DELIVERED, 2, 3);
  }
  Source again(folder, "a.jsonl", checkpoint(folder));
  CHECK(again.read() == Texts{"2", "3"});
}

TEST_CASE("file: an undelivered line comes again by itself, after a pause", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n2\n");
  Source source(folder, "a.jsonl");
  CHECK(source.read(SLUICE_NOT_DELIVERED) == Texts{"1", "2"});
  CHECK(source.read().empty());
  CHECK(source.host.logged("was not delivered"));
  CHECK(source.read_later() == Texts{"1", "2"});
}

TEST_CASE("file: with stop_at_end an undeliverable line does not keep the run alive for ever", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n");
  Source source(folder, "a.jsonl", kStop);
  int tries = 0;
  for (; tries < 20 && !source.ended; ++tries) {
    (void)source.read(SLUICE_NOT_DELIVERED);
    source.host.advance_ms(60'000);
    source.node.poll(0);
  }
  CHECK(source.ended);
  CHECK(tries < 20);
}

TEST_CASE("file: lines that a halt refused stay for the next start, unless the graph goes on", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n2\n");
  const bool goes_on = GENERATE(true, false);
  {
    Source source(folder, "a.jsonl", checkpoint(folder));
    rig::Writer out;
    REQUIRE(source.node.pull(out) == SLUICE_OK);
    source.node.settle(
        {{out[0].tag, SLUICE_WAS_DELIVERED, 0, {}}, {out[1].tag, SLUICE_NOT_DELIVERED, SLUICE_CODE_HALTED, {}}});
    if (goes_on) CHECK(source.read().empty());
  }
  Source again(folder, "a.jsonl", checkpoint(folder));
  CHECK(again.read() == (goes_on ? Texts{} : Texts{"2"}));
}

TEST_CASE("file: another file under a known inode is not taken for the old one", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n2\n3\n");
  {
    Source source(folder, "a.jsonl", checkpoint(folder));
    CHECK(source.read().size() == 3);
  }
  write(folder / "a.jsonl", "x\ny\nlonger than before\n");  // the same inode
  Source again(folder, "a.jsonl", checkpoint(folder));
  CHECK(again.read() == Texts{"x", "y", "longer than before"});
}

TEST_CASE("file: a renamed file keeps its place over a restart", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", "1\n");
  {
    Source source(folder, "*", checkpoint(folder));
    (void)source.read();
  }
  const Folder elsewhere;  // so that the checkpoint itself is not matched
  ::rename((folder / "a.jsonl").c_str(), (elsewhere / "b.jsonl").c_str());
  append(elsewhere / "b.jsonl", "2\n");
  Source again(elsewhere, "*.jsonl", checkpoint(folder));
  CHECK(again.read() == Texts{"2"});
}

TEST_CASE("file: lines longer than one pull arrive whole, and over the bound cut", "[file]") {
  const Folder folder;
  const std::string longer(500'000, 'x'), too_long(3'000'000, 'y');
  append(folder / "a.jsonl", "1\n" + longer + "\n2\n" + too_long + "\n3\n");
  Source source(folder, "a.jsonl", R"(,"max_line_bytes":1000000)");
  const Texts all = source.read();
  REQUIRE(all.size() == 5);
  CHECK(all[1] == longer);
  CHECK(all[2] == "2");
  CHECK(all[3] == too_long.substr(0, 1'000'000));
  CHECK(all[4] == "3");
}

TEST_CASE("file: a long line that is still being written waits for its end", "[file]") {
  const Folder folder;
  append(folder / "a.jsonl", std::string(600'000, 'x'));
  Source source(folder, "a.jsonl");
  CHECK(source.read().empty());
  append(folder / "a.jsonl", std::string(10, 'z') + "\n2\n");
  const Texts all = source.read_later();
  REQUIRE(all.size() == 2);
  CHECK(all[0].size() == 600'010);
  CHECK(all[1] == "2");
}

TEST_CASE("file: many lines come in order and complete, whatever their lengths", "[file]") {
  const Folder folder;
  Texts expected;
  std::string text;
  for (std::size_t i = 0; i < 20'000; ++i) {
    expected.push_back(std::to_string(i) + std::string(i * 7919 % 1500, 'a'));
    text += expected.back() + "\n";
  }
  append(folder / "a.jsonl", text);
  Source source(folder, "a.jsonl", kStop);
  CHECK(source.read() == expected);
}

TEST_CASE("file: what cannot be read is refused before the start of a batch job, with its path", "[file]") {
  const Folder folder;
  rig::Host host;
  rig::Node missing(file_class(), R"({"stop_at_end":true,"paths":[")" + (folder / "none*.jsonl") + "\"]}", host);
  CHECK_THROWS_WITH(missing.start(), Catch::Matchers::Contains("there is no file at " + (folder / "none*.jsonl")));
  Source waiting(folder, "none*.jsonl");  // a tail waits for it
  CHECK(waiting.read().empty());
  append(folder / "none1.jsonl", "1\n");
  CHECK(waiting.read_later() == Texts{"1"});
}
