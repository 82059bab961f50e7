#include "catch.hh"
#include "edge/plugin_fixture.hh"

using namespace plugin_fixture;

namespace {
Ended drive(const std::string& name) { return run(driver() + " drive " + broken(name) + " " + name); }
}  // namespace

TEST_CASE("crash: the last line names module, node, call and signal, and the exit code is 70", "[edge][plugin]") {
  const auto expect = [](const std::string& name, const std::string& line) {
    INFO(name);
    const Ended ended = drive(name);
    CHECK(ended.exit_code == 70);
    CHECK(ended.last_line() == line);
  };
  expect("publish_segfaults",
         "sluice: plugin crashed: module publish_segfaults.so, node out, call publish(), signal SIGSEGV");
  expect("process_aborts",
         "sluice: plugin crashed: module process_aborts.so, node out, call process(), signal SIGABRT");
  expect("create_aborts", "sluice: plugin crashed: module create_aborts.so, node out, call create(), signal SIGABRT");
  expect("publish_overflows_stack",
         "sluice: plugin crashed: module publish_overflows_stack.so, node out, call publish(), signal SIGSEGV");
  expect("thread_crashes",
         "sluice: plugin crashed: module thread_crashes.so, on a thread of its own, uncaught exception: nobody catches "
         "this");
}

TEST_CASE("crash: an exception over the border does not end the process", "[edge][plugin]") {
  const Ended published = drive("publish_throws");
  CHECK(published.exit_code == 0);
  CHECK(published.last_line() == "status failed, breaches 1: publish() threw: thrown over the border");
  const Ended created = drive("create_throws");
  CHECK(created.exit_code == 78);
  CHECK(created.last_line() == "create() threw: no wall around this");
}
