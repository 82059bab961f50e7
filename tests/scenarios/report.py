#!/usr/bin/python3
"""`sluice report` on the logs that the extraction scenario writes: the figures of the document's jq commands, from plain, rotated
and gzipped files, standard input, and every envelope of event_log."""

import gzip
import json
import subprocess
import xml.etree.ElementTree

from support import ROOT, Scenario, main

CONFIG = ROOT / "config" / "examples" / "extraction.yaml"


def extraction(kind):
    return subprocess.run([ROOT / "packaging" / "extraction-events", kind], capture_output=True, text=True, check=True).stdout


class Report(Scenario):
    def log_of(self, kind, envelope="bus_event"):
        self.run_sluice("run", CONFIG, "--set", "backends.log.config.format=" + envelope, stdin=extraction(kind),
                        EXTRACTION_OUTPUT=self.folder / envelope)
        return self.folder / envelope / "events.jsonl"

    def figures(self, *arguments, stdin="", code=0):
        ran = self.run_sluice("report", "--json", *arguments, stdin=stdin)
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        return json.loads(ran.stdout)

    def test_the_figures_are_those_of_the_documents_commands(self):
        log = self.log_of("failing")
        counts = subprocess.run("jq -r .event_type %s | sort | uniq -c" % log, shell=True, capture_output=True, text=True).stdout
        figures = self.figures(log, "--threshold", "0.6")
        self.assertEqual(figures["types"], {name: int(count) for count, name in map(str.split, counts.splitlines())})
        self.assertEqual((figures["successes"], figures["failures"], figures["success_rate"]), (1, 4, 0.2))
        drop = figures["first_drop"]
        self.assertEqual((drop["outcome"], drop["success_rate"]), (5, 0.2))
        self.assertTrue(drop["time"].startswith("2025-10-10T12:02:"), drop)

    def test_every_envelope_of_the_log_gives_the_same_figures(self):
        expected = self.figures(self.log_of("healthy"), "--threshold", "0.6")
        self.assertEqual((expected["successes"], expected["failures"], expected["first_drop"]), (23, 2, None))
        for envelope in ("cloudevents", "domain_event", "domain_event_camel"):
            with self.subTest(envelope):
                self.assertEqual(self.figures(self.log_of("healthy", envelope), "--threshold", "0.6"), expected)

    def test_rotated_and_gzipped_files_count_in_the_order_of_time(self):
        log = self.log_of("healthy")
        lines = log.read_text().splitlines(keepends=True)
        whole = self.figures(log, "--threshold", "0.95")
        old = log.with_name("events.jsonl.20251010T120500Z-001.gz")
        old.write_bytes(gzip.compress("".join(lines[:30]).encode()))
        log.write_text("".join(lines[30:]))
        self.assertEqual(self.figures(log, old, "--threshold", "0.95"), whole)  # as a glob would name them
        self.assertEqual(whole["first_drop"]["outcome"], 12)

    def test_standard_input_and_the_chart(self):
        ran = self.run_sluice("report", "--threshold", "0.6", "--svg", "rate.svg", stdin=extraction("failing"))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("100% ┤█", ran.stdout)
        self.assertIn("first below 60.0%: outcome 5 at 2025-10-10T12:02:", ran.stdout)
        svg = xml.etree.ElementTree.parse(self.folder / "rate.svg").getroot()
        self.assertEqual(len(svg.findall("{http://www.w3.org/2000/svg}polyline")), 1)

    def test_lines_that_are_no_events_are_named_and_the_others_count(self):
        good = extraction("healthy").splitlines(keepends=True)
        log = self.folder / "mixed.jsonl"
        log.write_text("".join(good[:3]) + "no json\n\n" + "".join(good[3:]) + '{"event_type": "specimen.comp')
        ran = self.run_sluice("report", log)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("events: 52\n", ran.stdout)
        self.assertEqual([line.split(": ")[1:3] for line in ran.stderr.splitlines()],
                         [["%s:%d" % (log, number), "not an event"] for number in (4, 55)])

    def test_a_torn_gzip_file_and_a_missing_file_are_named(self):
        torn = self.folder / "torn.gz"
        torn.write_bytes(gzip.compress(extraction("healthy").encode())[:-200])
        ran = self.run_sluice("report", torn)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("its end is missing", ran.stderr)
        ran = self.run_sluice("report", "nowhere.jsonl")
        self.assertEqual(ran.returncode, 64)
        self.assertIn("nowhere.jsonl", ran.stderr)


if __name__ == "__main__":
    main()
