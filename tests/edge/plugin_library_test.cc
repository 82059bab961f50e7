#include "edge/plugin_library.hh"
#include "catch.hh"
#include "core/setup_error.hh"
#include "edge/plugin_commands.hh"
#include "edge/plugin_elf.hh"
#include "edge/plugin_fixture.hh"
#include "edge/plugin_inspect.hh"

#include <sys/stat.h>

#include <random>
#include <sstream>

using namespace sluice;
using namespace plugin_fixture;
using Catch::Matchers::Contains;

namespace {

/// The line with which the file is refused, without its path; empty when it is taken.
std::string refusal(const std::string& path) {
  try {
    (void)inspect_module(path);
    return {};
  } catch (const Refused& e) {
    const std::string line = e.what();
    REQUIRE(line.rfind(path + ": ", 0) == 0);
    REQUIRE(line.find('\n') == std::string::npos);
    return line.substr(path.size() + 2);
  }
}

}  // namespace

TEST_CASE("inspect: names, versions and schemas come from the file, when it is stripped too", "[edge][plugin]") {
  const Folder folder;
  const std::string copy = folder / "null.so";
  REQUIRE(run("strip -o " + copy + " " SLUICE_BUILD_DIR "/plugins/bench.so").exit_code == 0);
  const ModuleDescription module = inspect_module(copy);
  const auto found =
      std::find_if(module.classes.begin(), module.classes.end(), [](const auto& c) { return c.name == "null"; });
  REQUIRE(found != module.classes.end());
  CHECK(found->kind == NodeKind::backend);
  CHECK(found->version == "1.0.0");
  CHECK_THAT(found->schema_json, Contains("\"object\""));
  CHECK(found->module_path == copy);
}

TEST_CASE("inspect: what is not a module is refused with one line that says what it is", "[edge][plugin]") {
  const Folder folder;
  const std::string expected = "expected an ELF shared object for ";

  write_file(folder / "text.so", "this is not code\n");
  CHECK_THAT(refusal(folder / "text.so"), Contains(expected) && Contains("found no ELF file but a text file"));
  write_file(folder / "script.so", "#!/bin/sh\n");
  CHECK_THAT(refusal(folder / "script.so"), Contains("a script"));
  write_file(folder / "bytes.so", std::string("\x01\x02\x00\xff", 4));
  CHECK_THAT(refusal(folder / "bytes.so"), Contains("other bytes"));
  write_file(folder / "empty.so", "");
  CHECK_THAT(refusal(folder / "empty.so"), Contains("found an empty file"));
  REQUIRE(mkfifo((folder / "fifo.so").c_str(), 0600) == 0);
  CHECK_THAT(refusal(folder / "fifo.so"), Contains("found a FIFO"));
  std::filesystem::create_directory(folder / "folder.so");
  CHECK_THAT(refusal(folder / "folder.so"), Contains("found a folder"));
  CHECK_THAT(refusal(folder / "absent.so"), Contains("expected a readable file, found No such file"));
  CHECK_THAT(refusal("/dev/null"), Contains("a device"));
  write_file(folder / "short.so",
             "\x7f"
             "ELF");
  CHECK_THAT(refusal(folder / "short.so"), Contains("cut off"));
}

TEST_CASE("inspect: a module for another machine is refused with both machines", "[edge][plugin]") {
  const Folder folder;
  std::string bytes = read_file(broken("good"));
  const std::string path = folder / "other.so";
  bytes[18] = static_cast<char>(bytes[18] == '\x3e' ? 0xb7 : 0x3e);  // e_machine: aarch64 for x86-64 and back
  write_file(path, bytes);
  CHECK_THAT(refusal(path), Contains("expected an ELF shared object for") && Contains("found one for "));
  bytes = read_file(broken("good"));
  bytes[4] = 1;  // EI_CLASS: 32 bit
  write_file(path, bytes);
  CHECK_THAT(refusal(path), Contains("found a 32-bit one"));
}

TEST_CASE("inspect: a broken table is refused with what was expected and what was found", "[edge][plugin]") {
  CHECK(refusal(broken("good")).empty());
  CHECK(refusal(broken("no_entry")) ==
        "expected the symbol sluice_module_v1, found no entry symbol: not a Sluice module");
  CHECK(refusal(broken("wrong_major")) ==
        "expected the symbol sluice_module_v1 (ABI major 1), found sluice_module_v2 (another major)");
  CHECK_THAT(refusal(broken("newer_minor")), Contains("needs ABI 1.9, this host has 1.0"));
  CHECK(refusal(broken("truncated_module")) ==
        "expected a module table of at least 24 bytes, found a truncated one of 8");
  CHECK(refusal(broken("truncated_class")) ==
        "expected a class table of at least 128 bytes, found a truncated one of 104");
  CHECK(refusal(broken("null_slot")) ==
        "expected class 'null_slot' with a publish(), found null in that required slot");
  CHECK(refusal(broken("null_class")) == "expected a class table at position 1, found null");
  CHECK(refusal(broken("two_kinds")) ==
        "expected class 'two_kinds' to be exactly one of source, consumer, backend, found 2 of them");
  CHECK(refusal(broken("same_name_twice")) ==
        "expected classes of different names in each kind, found backend 'same_name' twice");
  CHECK_THAT(refusal(broken("bad_name")),
             Contains("expected a class name of 1 to 64 letters") && Contains("'Bad Name!'"));
  CHECK_THAT(refusal(broken("no_note")), Contains("expected a descriptor note of Sluice.v1") && Contains("found none"));
  CHECK(refusal(broken("extra_symbols")) ==
        "expected sluice_module_v1 as the only exported symbol, found 2 more: one_too_many, two_too_many");
}

TEST_CASE("inspect: no damaged file makes it crash or read on for ever", "[edge][plugin]") {
  const Folder folder;
  const std::string path = folder / "damaged.so";
  const std::string good = read_file(broken("good"));
  std::mt19937_64 random(20240101);
  std::size_t refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string bytes = good;
    if (i % 4 == 0) bytes.resize(random() % bytes.size());
    const std::size_t span = i % 2 == 0 ? std::min<std::size_t>(bytes.size(), 1024) : bytes.size();
    for (std::size_t n = 1 + random() % 16; n > 0 && span > 20; --n) {
      bytes[20 + random() % (span - 20)] = static_cast<char>(random());
    }
    write_file(path, bytes);
    try {
      (void)inspect_module(path);
    } catch (const Refused&) {
      ++refused;
    }
  }
  CHECK(refused > 100);  // the cut ones at the least
}

TEST_CASE("library: a class is found and loaded by name; what is refused is told with its line", "[edge][plugin]") {
  const Folder folder;
  std::filesystem::copy(broken("good"), folder / "good.so");
  write_file(folder / "text.so", "text");
  write_file(folder / "notes.txt", "not looked at");
  PluginLibrary library({folder.path(), folder / "nowhere"});
  REQUIRE(library.find("good") != nullptr);
  CHECK(library.find("other") == nullptr);
  CHECK(library.names() == std::vector<std::string>{"good"});
  CHECK_THAT(library.where_looked(), Contains("nowhere (no such folder)") && Contains("text.so: expected an ELF"));
  const LoadedClass loaded = library.load("good");
  CHECK(loaded.description == library.find("good"));
  CHECK(std::string(loaded.table->name) == "good");
  CHECK(std::string(loaded.module) == "good.so");
  CHECK(library.load("good").table == loaded.table);
  CHECK_THROWS_WITH(library.load("other"), Contains("no module offers the class 'other'") && Contains(folder.path()));
}

TEST_CASE("library: one name may be a class of each kind, and each is found by its kind", "[edge][plugin]") {
  PluginLibrary library({broken("both_kinds")});
  CHECK(library.refusals().empty());
  REQUIRE(library.find(NodeKind::backend, "both_kinds") != nullptr);
  REQUIRE(library.find(NodeKind::consumer, "both_kinds") != nullptr);
  CHECK(library.find(NodeKind::source, "both_kinds") == nullptr);
  CHECK(library.find(NodeKind::backend, "both_kinds")->kind == NodeKind::backend);
  CHECK(library.load(NodeKind::backend, "both_kinds").table->backend != nullptr);
  CHECK(library.load(NodeKind::consumer, "both_kinds").table->consumer != nullptr);
  CHECK_THROWS_WITH(library.load(NodeKind::source, "both_kinds"), Contains("no module offers the class 'both_kinds'"));
  CHECK(library.names() == std::vector<std::string>{"both_kinds"});
  std::ostringstream out;
  CHECK(plugin_explain("both_kinds", {broken("both_kinds")}, out) == kClean);
  CHECK_THAT(out.str(), Contains("backend both_kinds 1.0.0") && Contains("consumer both_kinds 1.0.0"));
}

TEST_CASE("library: of two modules with one class the first in the search path wins, and it says so",
          "[edge][plugin]") {
  const Folder one, other;
  std::filesystem::copy(broken("good"), one / "a.so");
  std::filesystem::copy(broken("good"), other / "b.so");
  const PluginLibrary library({other.path(), one.path()});
  CHECK(library.find("good")->module_path == other / "b.so");
  REQUIRE(library.refusals().size() == 1);
  CHECK_THAT(library.refusals()[0], Contains("a.so: backend class 'good' is left out") && Contains("b.so"));
}

TEST_CASE("library: a folder that stands in the search path by two names is read once", "[edge][plugin]") {
  const Folder one;
  std::filesystem::copy(broken("good"), one / "a.so");
  const PluginLibrary library(
      {one.path(), one.path() + "/../" + std::filesystem::path(one.path()).filename().string()});
  CHECK(library.find("good")->module_path == one / "a.so");
  CHECK(library.refusals().empty());
  CHECK(library.modules().size() == 1);
}

TEST_CASE("library: what only loading can tell is a setup error with the file's name", "[edge][plugin]") {
  const auto loading = [](const std::string& name) {
    try {
      PluginLibrary library({broken(name)});
      (void)library.load(name);
      return std::string();
    } catch (const SetupError& e) {
      CHECK(e.code() == kBadConfig);
      return std::string(e.what());
    }
  };
  CHECK(loading("undefined_symbol") == broken("undefined_symbol") +
                                           ": expected a module whose symbols and libraries are all found, found "
                                           "undefined symbol: nobody_has_this_function");
  CHECK(loading("entry_returns_null") ==
        broken("entry_returns_null") + ": expected a module table from sluice_module_v1(), found null");
  CHECK_THAT(loading("other_table"), Contains("the table that the note names, found another table"));
}

TEST_CASE("library: a module that is compiled in serves like one that was loaded", "[edge][plugin]") {
  PluginLibrary files({broken("good")});
  const sluice_class* const classes[] = {files.load("good").table};
  const sluice_module module{sizeof(sluice_module), 0, 0, 1, classes};
  PluginLibrary library({});
  library.add_built_in("built-in", &module);
  CHECK(library.load("good").table == classes[0]);
  CHECK_THROWS_AS(library.add_built_in("nothing", nullptr), Refused);
}

TEST_CASE("plugin list: modules with their classes, and a line for each file that is no module", "[edge][plugin]") {
  const Folder folder;
  std::filesystem::copy(broken("good"), folder / "good.so");
  std::ostringstream fine;
  CHECK(plugin_list({folder.path()}, fine) == kClean);
  CHECK_THAT(fine.str(), Contains("good.so (ABI 1.0)") && Contains("backend   good  1.0.0    Broken on purpose."));

  std::filesystem::copy(broken("undefined_symbol"), folder / "undefined.so");
  write_file(folder / "text.so", "text");
  std::ostringstream out;
  CHECK(plugin_list({folder.path(), folder / "nowhere"}, out) == kBadConfig);
  CHECK_THAT(out.str(), Contains("nowhere: expected a folder with modules, found no such folder"));
  CHECK_THAT(out.str(), Contains("text.so: expected an ELF shared object"));
  CHECK_THAT(out.str(), Contains("undefined.so: expected a module whose symbols and libraries are all found, found "
                                 "undefined symbol: nobody_has_this_function"));
}

TEST_CASE("plugin explain: keys with types, defaults and bounds; a near miss is suggested", "[edge][plugin]") {
  std::ostringstream out;
  CHECK(plugin_explain("generate", {SLUICE_BUILD_DIR "/plugins"}, out) == kClean);
  CHECK_THAT(out.str(),
             Contains("source generate") && Contains("bench.so") && Contains("count") && Contains("integer"));
  std::ostringstream unknown;
  CHECK(plugin_explain("generat", {SLUICE_BUILD_DIR "/plugins"}, unknown) == kBadConfig);
  CHECK_THAT(unknown.str(), Contains("no module offers the class 'generat'") && Contains("generate"));
}

TEST_CASE("plugin new: names and folders that cannot be are refused", "[edge][plugin]") {
  const Folder folder;
  std::ostringstream out;
  CHECK(plugin_new("sink", "mine", folder / "a", out) == kUsage);
  CHECK(plugin_new("backend", "My-Queue", folder / "a", out) == kUsage);
  CHECK(plugin_new("backend", "mine", folder / "a", out) == kClean);
  CHECK(plugin_new("backend", "mine", folder / "a", out) == kBadConfig);
  CHECK_THAT(out.str(), Contains("expected a new or empty folder"));
  CHECK_THAT(read_file(folder / "a/plugin.cc"), Contains("class Mine") && !Contains("@"));
  write_file(folder / "file", "");
  CHECK(plugin_new("source", "mine", folder / "file/b", out) == kBadConfig);
}
