#!/usr/bin/python3
"""The extraction scenario of the event bus guide: the numbers, the order and the jq commands of the document, on the runs that
packaging/quickstart shows, and what the host does when lines arrive one by one."""

import json
import subprocess

from support import PATIENCE_S, ROOT, SLUICE, Scenario, environment, main, wait_for

CONFIG = ROOT / "config" / "examples" / "extraction.yaml"
MESSAGE = "Early validation failed: 20% success rate after 5 specimens"


def extraction(kind):
    return subprocess.run([ROOT / "packaging" / "extraction-events", kind], capture_output=True, text=True, check=True).stdout


class Extraction(Scenario):
    def run_extraction(self, kind):
        ran = self.run_sluice("run", CONFIG, stdin=extraction(kind), EXTRACTION_OUTPUT=self.folder / "extraction")
        log = self.folder / "extraction" / "events.jsonl"
        return ran, log, [json.loads(line) for line in log.read_text().splitlines()]

    def jq(self, program, *options):
        """A command of the document, in the folder it is meant for."""
        ran = subprocess.run(["bash", "-c", program], cwd=self.folder, capture_output=True, text=True, check=True)
        return ran.stdout.split("\n")[:-1]

    def test_a_healthy_extraction_runs_to_its_end(self):
        ran, log, events = self.run_extraction("healthy")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        counts = self.jq("cat extraction/events.jsonl | jq -r '.event_type' | sort | uniq -c")
        self.assertEqual([line.split() for line in counts],
                         [["1", "extraction.completed"], ["1", "extraction.started"], ["23", "specimen.completed"],
                          ["2", "specimen.failed"], ["25", "specimen.processing"], ["1", "validation.checkpoint"]])
        summary = ran.stdout + ran.stderr
        for part in ("success rate", "specimen.completed", "specimen.failed"):
            self.assertIn(part, summary)
        completed = [event for event in events if event["event_type"] == "extraction.completed"]
        self.assertEqual((completed[0]["data"]["successful"], completed[0]["data"]["success_rate"]), (23, 0.92))
        checkpoint = [event for event in events if event["event_type"] == "validation.checkpoint"]
        self.assertEqual(checkpoint[0]["data"], {"run_id": "good_run", "processed": 5, "success_rate": 1.0, "passed": True})

    def test_the_success_rate_over_time_is_in_the_log(self):
        self.run_extraction("healthy")
        lines = self.jq("""cat extraction/events.jsonl | \\
            jq -c 'select(.event_type == "specimen.completed") |
                {sequence: .data.sequence, success_rate: .data.metrics.success_rate}'""")
        rates = {row["sequence"]: row["success_rate"] for row in map(json.loads, lines)}
        self.assertEqual((len(rates), rates[1], rates[25]), (23, 1, 0.92))
        self.assertNotIn(12, rates)

    def test_the_first_event_is_as_the_document_shows_it(self):
        self.run_extraction("healthy")
        first = json.loads("\n".join(self.jq("cat extraction/events.jsonl | head -1 | jq")))
        self.assertEqual(first, {"event_type": "extraction.started", "timestamp": "2025-10-10T12:00:00.000Z",
                                 "data": {"run_id": "good_run", "total_specimens": 25, "model": "demo-model"}})

    def test_a_failing_extraction_is_stopped_at_the_fifth_specimen(self):
        ran, log, events = self.run_extraction("failing")
        self.assertEqual(ran.returncode, 3, ran.stdout + ran.stderr)
        self.assertIn(MESSAGE, ran.stdout + ran.stderr)
        counts = self.jq("cat extraction/events.jsonl | jq -r '.event_type' | sort | uniq -c")
        self.assertEqual([line.split() for line in counts],
                         [["1", "extraction.failed"], ["1", "extraction.started"], ["1", "specimen.completed"],
                          ["4", "specimen.failed"], ["5", "specimen.processing"], ["1", "validation.checkpoint"]])
        self.assertEqual(events[-1]["event_type"], "extraction.failed")
        self.assertEqual(events[-1]["data"], {"run_id": "bad_run", "reason": "early_validation_failed", "processed": 5,
                                              "success_rate": 0.2})
        self.assertEqual(max(event["data"].get("sequence", 0) for event in events), 5)

    def test_a_program_that_writes_line_by_line_is_stopped_while_it_runs(self):
        lines = extraction("failing").splitlines(keepends=True)
        host = subprocess.Popen([SLUICE, "run", CONFIG], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, cwd=self.folder, env=environment(EXTRACTION_OUTPUT=self.folder / "extraction"))
        self.addCleanup(host.kill)
        log = self.folder / "extraction" / "events.jsonl"
        for line in lines[:11]:  # up to the fifth result
            host.stdin.write(line)
            host.stdin.flush()
        # Nothing more is written and the input stays open: the halt alone ends it.
        self.assertEqual(host.wait(timeout=PATIENCE_S), 3)
        self.assertIn(MESSAGE, host.stdout.read())
        self.assertEqual(json.loads(log.read_text().splitlines()[-1])["event_type"], "extraction.failed")
        host.stdout.close()
        try:
            host.stdin.close()
        except BrokenPipeError:
            pass

    def test_each_event_is_in_the_log_before_the_next_one_is_made(self):
        host = subprocess.Popen([SLUICE, "run", CONFIG], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, text=True, cwd=self.folder,
                                env=environment(EXTRACTION_OUTPUT=self.folder / "extraction"))
        self.addCleanup(host.kill)
        log = self.folder / "extraction" / "events.jsonl"
        for count, line in enumerate(extraction("healthy").splitlines(keepends=True)[:10], 1):
            host.stdin.write(line)
            host.stdin.flush()
            wait_for(lambda: log.exists() and log.read_text().count("\n") >= count, "event %d in the log" % count)
        host.stdin.close()
        self.assertEqual(host.wait(timeout=PATIENCE_S), 0)

    def test_lines_that_are_no_events_are_counted_and_stop_nobody(self):
        good = extraction("healthy").splitlines(keepends=True)
        lines = "".join(good[:5]) + "no json\n{\"no_type\": true}\n[1, 2\n" + "".join(good[5:])
        ran = self.run_sluice("run", CONFIG, stdin=lines, EXTRACTION_OUTPUT=self.folder / "extraction")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertEqual(len((self.folder / "extraction" / "events.jsonl").read_text().splitlines()), 54 - 1)
        self.assertRegex(ran.stdout + ran.stderr, r"specimens\s+55\s+52\s+0\s+3")


if __name__ == "__main__":
    main()
