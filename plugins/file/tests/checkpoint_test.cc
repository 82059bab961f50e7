// The text of a checkpoint, and what a damaged one says.
#include "checkpoint.hh"

#include "catch.hh"
#include "checkpoint_store.hh"
#include "folder.hh"

#include <sluice/cpp/guard.hh>

using file_plugin::CheckpointEntry;
using file_plugin::CheckpointStore;
using file_plugin::parse_checkpoint;
using file_plugin::print_checkpoint;

namespace {

const std::vector<CheckpointEntry> kEntries = {{1, 2, {3, 4}, 5, "/var/log/a b.jsonl"},
                                               {UINT64_MAX, UINT64_MAX, {1024, UINT64_MAX}, 0, "odd\nname\\n"}};

}  // namespace

TEST_CASE("checkpoint: what is printed is read back the same", "[file]") {
  CHECK(parse_checkpoint(print_checkpoint(kEntries)) == kEntries);
  CHECK(parse_checkpoint(print_checkpoint({})).empty());
}

TEST_CASE("checkpoint: cut at any byte it is refused, never read as less", "[file]") {
  const std::string whole = print_checkpoint(kEntries);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK_THROWS(parse_checkpoint(std::string_view(whole).substr(0, length)));
  }
}

TEST_CASE("checkpoint: the refusal names the line", "[file]") {
  CHECK_THROWS_WITH(parse_checkpoint("hello\n"), "line 1: 'sluice file checkpoint 1' is expected");
  CHECK_THROWS_WITH(parse_checkpoint("sluice file checkpoint 1\n1 2 x 4 5 /a\nend 1\n"),
                    "line 2: a number is expected");
  CHECK_THROWS_WITH(parse_checkpoint("sluice file checkpoint 1\nend 1\n"), "line 2: the count does not agree");
}

TEST_CASE("checkpoint store: keeps what was written, in a folder that it makes", "[file]") {
  const Folder folder;
  const std::string path = folder / "deep/er/checkpoint";
  {
    CheckpointStore store(path, true);
    CHECK(store.open().empty());
    store.write(kEntries);
    CheckpointStore second(path, false);
    CHECK_THROWS_AS(second.open(), sluice::Away);  // one owner at a time
  }
  CheckpointStore again(path, false);
  CHECK(again.open() == kEntries);
}

TEST_CASE("checkpoint store: a damaged file and an unusable place are refused with path and cure", "[file]") {
  const Folder folder;
  write(folder / "damaged", "sluice file checkpoint 1\n1 2 3");
  CheckpointStore damaged(folder / "damaged", false);
  CHECK_THROWS_WITH(damaged.open(), Catch::Matchers::Contains("line 2") && Catch::Matchers::Contains("move it away"));
  write(folder / "a-file", "");
  CheckpointStore under_a_file(folder / "a-file/checkpoint", false);
  CHECK_THROWS_AS(under_a_file.open(), sluice::BadConfig);
}
