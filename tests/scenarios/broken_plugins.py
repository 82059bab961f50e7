#!/usr/bin/python3
"""Hosts with broken plugins (tests/broken_plugins, one fault each): what is found at load time ends the run with 78 and a line that
names the file; what breaks the contract at run time stops that node and nobody else; what crashes the process leaves a last
line that names module, node and call, exit 70."""

import json
import pathlib
import re
import shutil
import signal

from support import BUILD, SLUICE, Process, Scenario, main, wait_for

# fault -> a part of the line with which it is refused
AT_LOAD_TIME = {
    "bad_name": "expected a class name of 1 to 64 letters",
    "bad_schema": "is no JSON",
    "create_throws": "create() threw: no wall around this",
    "create_without_node": "create() said OK and made no node",
    "entry_returns_null": "expected a module table from sluice_module_v1(), found null",
    "extra_symbols": "expected sluice_module_v1 as the only exported symbol",
    "newer_minor": "needs ABI 1.9, this host has 1.",
    "no_entry": "found no entry symbol",
    "no_note": "expected a descriptor note",
    "null_class": "expected a class table at position 1, found null",
    "null_slot": "with a publish(), found null in that required slot",
    "other_table": "found another table",
    "same_name_twice": "expected classes of different names",
    "truncated_class": "expected a class table of at least",
    "truncated_module": "expected a module table of at least",
    "two_kinds": "to be exactly one of source, consumer, backend",
    "undefined_symbol": "undefined symbol: nobody_has_this_function",
    "wrong_major": "expected the symbol sluice_module_v1 (ABI major 1), found sluice_module_v2",
}

# fault -> a part of the line with which the node is stopped
AT_RUN_TIME = {
    "completes_out_of_range": "which was never given out",
    "completes_twice": "completed ticket 1 twice",
    "long_error": "an error text longer than its buffer",
    "publish_throws": "publish() threw: thrown over the border",
    "takes_too_many": "took 8 events of 3 that it was offered",
    "unknown_status": "publish() answered the unknown status 4711",
}

CRASHES = {
    "create_aborts": ("create()", "SIGABRT"),
    "publish_overflows_stack": ("publish()", "SIGSEGV"),
    "publish_segfaults": ("publish()", "SIGSEGV"),
}

EVENTS = "".join(json.dumps({"specversion": "1.0", "id": str(i), "source": "s", "type": "t"}) + "\n" for i in range(3))


class BrokenPlugins(Scenario):
    def run_with(self, name, kind="backends"):
        folder = self.folder / name
        folder.mkdir()
        shutil.copy(BUILD / "broken_plugins" / (name + ".so"), folder)
        config = folder / "graph.yaml"
        config.write_text("""sluice: 1
plugins: {path: [%s]}
drain_deadline: 1s
sources: {in: {class: stdin, acknowledge: [good]}}
%s
backends:
  good: {class: event_log, inputs: [in], config: {path: %s/good.jsonl}}
  %s
""" % (folder, "consumers: {bad: {class: %s, inputs: [in]}}" % name if kind == "consumers" else "", folder,
            "after: {class: 'null', inputs: [bad]}" if kind == "consumers" else "bad: {class: %s, inputs: [in]}" % name))
        ran = self.run_sluice("run", config, stdin=EVENTS)
        ran.printed = ran.stdout + ran.stderr
        log = folder / "good.jsonl"
        ran.delivered = len(log.read_text().splitlines()) if log.exists() else 0
        return ran

    def test_what_is_found_at_load_time_is_refused_by_file_name(self):
        for name, part in AT_LOAD_TIME.items():
            with self.subTest(name):
                ran = self.run_with(name)
                self.assertEqual(ran.returncode, 78, ran.printed)
                self.assertTrue([line for line in ran.printed.splitlines() if part in line and name in line], ran.printed)
                self.assertEqual(ran.delivered, 0)

    def test_what_breaks_the_contract_at_run_time_stops_that_node_alone(self):
        for name, part in AT_RUN_TIME.items():
            with self.subTest(name):
                ran = self.run_with(name)
                self.assertEqual(ran.delivered, 3, ran.printed)
                line = next((line for line in ran.printed.splitlines() if part in line), "")
                self.assertTrue(line, ran.printed)
                self.assertEqual(json.loads(line)["node"], "bad")
                self.assertIn(ran.returncode, (0, 1), ran.printed)

    def test_events_that_are_never_completed_are_named_at_the_end(self):
        ran = self.run_with("completes_never")
        self.assertEqual(ran.delivered, 3, ran.printed)
        self.assertTrue(re.search(r'"level":"(warn|error)".*"node":"bad"', ran.printed), ran.printed)

    def test_a_verdict_that_does_not_exist_is_named_and_the_branch_beside_it_goes_on(self):
        ran = self.run_with("wrong_verdict", kind="consumers")
        self.assertEqual(ran.delivered, 3, ran.printed)
        self.assertTrue(re.search(r'"level":"(warn|error)".*"node":"bad"', ran.printed), ran.printed)

    def test_a_crash_leaves_a_last_line_that_names_module_node_and_call(self):
        for name, (call, ended_by) in CRASHES.items():
            with self.subTest(name):
                ran = self.run_with(name)
                self.assertEqual(ran.returncode, 70, ran.printed)
                self.assertEqual(ran.printed.splitlines()[-1],
                                 "sluice: plugin crashed: module %s.so, node bad, call %s, signal %s" % (name, call, ended_by))
        ran = self.run_with("process_aborts", kind="consumers")
        self.assertEqual(ran.returncode, 70, ran.printed)
        self.assertIn("module process_aborts.so, node bad, call process(), signal SIGABRT", ran.printed.splitlines()[-1])

    def test_a_crash_on_a_thread_of_the_plugins_own_is_named_too(self):
        ran = self.run_with("thread_crashes")
        self.assertEqual(ran.returncode, 70, ran.printed)
        self.assertIn("module thread_crashes.so, on a thread of its own", ran.printed.splitlines()[-1])

    def test_a_plugin_that_ends_the_process_is_no_clean_run(self):
        ran = self.run_with("create_exits")
        self.assertEqual(ran.returncode, 70, ran.printed)
        self.assertIn("create_exits", ran.printed)

    def test_a_start_that_hangs_can_be_stopped(self):
        folder = self.folder / "create_hangs"
        folder.mkdir()
        shutil.copy(BUILD / "broken_plugins" / "create_hangs.so", folder)
        (folder / "graph.yaml").write_text("""sluice: 1
plugins: {path: [%s]}
sources: {in: {class: stdin}}
backends: {bad: {class: create_hangs, inputs: [in]}}
""" % folder)
        host = Process([SLUICE, "run", folder / "graph.yaml"], self.folder, "sluice")
        self.addCleanup(host.end, signal.SIGKILL)
        maps = pathlib.Path("/proc/%d/maps" % host.process.pid)
        wait_for(lambda: "create_hangs.so" in maps.read_text(), "the module to be loaded")
        # One by one: two of a kind that are pending together are one signal.
        host.process.send_signal(signal.SIGTERM)
        host.wait_for_line("stopping as soon as the start is done")
        host.process.send_signal(signal.SIGTERM)
        wait_for(lambda: host.process.poll() is not None, "two signals to end it", patience_s=10)


if __name__ == "__main__":
    main()
