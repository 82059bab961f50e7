#include "catch.hh"
#include "core/exit_code.hh"
#include "edge/plugin_commands.hh"
#include "edge/plugin_fixture.hh"

#include <sstream>

using namespace sluice;
using namespace plugin_fixture;
using Catch::Matchers::Contains;

namespace {

struct Checked {
  int exit_code;
  std::string text;
};

Checked check_file(const std::string& file, std::chrono::seconds timeout = std::chrono::seconds(30)) {
  PluginCheckOptions options;
  options.file = file;
  options.seed = 42;
  options.timeout = timeout;
  options.program = driver();
  std::ostringstream out;
  const int code = plugin_check(options, out);
  return {code, out.str()};
}

}  // namespace

TEST_CASE("plugin check: a good module passes and the seed is printed", "[edge][plugin]") {
  const Checked good = check_file(broken("good"));
  INFO(good.text);
  CHECK(good.exit_code == kClean);
  CHECK_THAT(good.text, Contains("0 failed, 0 skipped; seed 42") && Contains("pass  good.completes_once"));
}

TEST_CASE("plugin check: classes that share a name are tested apart", "[edge][plugin]") {
  const Checked both = check_file(broken("both_kinds"));
  INFO(both.text);
  CHECK(both.exit_code == kClean);
  CHECK_THAT(both.text, Contains("pass  backend both_kinds.completes_once") &&
                            Contains("pass  consumer both_kinds.create_destroy"));
}

TEST_CASE("plugin check: a file that is no module is refused before anything runs", "[edge][plugin]") {
  const Folder folder;
  write_file(folder / "text.so", "text");
  const Checked text = check_file(folder / "text.so");
  CHECK(text.exit_code == kBadConfig);
  CHECK_THAT(text.text, Contains("text.so: expected an ELF shared object"));
  CHECK_THAT(check_file(broken("null_slot")).text, Contains("found null in that required slot"));
}

TEST_CASE("plugin check: each broken promise is named", "[edge][plugin]") {
  const auto expect = [](const std::string& name, const std::string& line) {
    const Checked checked = check_file(broken(name));
    INFO(checked.text);
    CHECK(checked.exit_code == kBadConfig);
    CHECK_THAT(checked.text, Contains("FAIL  " + line));
  };
  expect("undefined_symbol", "module.linked: undefined symbol: nobody_has_this_function");
  expect("entry_returns_null", "module.loads: ");
  expect("other_table", "module.loads: ");
  expect("bad_schema", "bad_schema.schema: its config schema is no JSON");
  expect("create_throws", "create_throws.create_destroy: an exception that left the plugin, in create()");
  expect("create_aborts",
         "create_aborts.create_destroy: crashed: module create_aborts.so, node checked, call create(), signal SIGABRT");
  expect("create_exits",
         "create_exits.create_destroy: crashed: module create_exits.so, node checked, call create(), it called exit()");
  expect("create_without_node", "create_without_node.create_destroy: create(): create() said OK and made no node");
  expect("completes_twice", "completes_twice.completes_once: ticket 1 was completed twice");
  expect("completes_out_of_range",
         "completes_out_of_range.completes_once: ticket 1000001 was completed, but the tickets given are 1 to ");
  expect("takes_too_many", "takes_too_many.single_events: publish() took 6 of 1 events");
  expect("publish_segfaults",
         "publish_segfaults.completes_once: crashed: module publish_segfaults.so, node checked, call publish(), signal "
         "SIGSEGV");
  expect("publish_throws", "publish_throws.completes_once: an exception that left the plugin, in publish()");
  expect("process_aborts",
         "process_aborts.judges_single_events: crashed: module process_aborts.so, node checked, call process(), signal "
         "SIGABRT");
  expect("wrong_verdict", "wrong_verdict.judges: event 0 was sent to output port 77, the class has 0 beyond port 0");
  expect("keeps_events", "keeps_events.completes_once: in publish(): event 0 was read after its completion");
  expect("writes_events", "writes_events.completes_once: in publish(): event 0 was written to");
  expect("reads_too_far", "reads_too_far.completes_once: in publish(): event 0 was read beyond its end");
  expect("changes_process", "changes_process.leaves_process_alone: create() changed the handler of SIG");
  expect("leaves_thread", "leaves_thread.leaves_nothing: each destroy() leaves a thread running");
  expect("thread_crashes", "thread_crashes.completes_once: crashed: module thread_crashes.so, on a thread of its own");
  expect("unknown_status", "unknown_status.completes_once: a status that does not exist, in publish()");
  expect("long_error", "long_error.completes_once: an error text longer than its buffer, in publish()");
}

TEST_CASE("plugin check: what never completes or never returns ends at the limit, with the call's name",
          "[edge][plugin]") {
  const Checked never = check_file(broken("completes_never"));
  INFO(never.text);
  CHECK(never.exit_code == kBadConfig);
  CHECK_THAT(never.text, Contains("FAIL  completes_never.stopped_in_flight: 64 events were taken and never completed"));
  const Checked hangs = check_file(broken("create_hangs"), std::chrono::seconds(2));
  INFO(hangs.text);
  CHECK(hangs.exit_code == kBadConfig);
  CHECK_THAT(hangs.text, Contains("FAIL  create_hangs.create_destroy: no end within 2 s, in create()"));
}
