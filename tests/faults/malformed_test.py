"""A million malformed lines: the host survives, every line is counted once, memory stays bounded, nothing that is no event
passes. SLUICE_MALFORMED_LINES says how many (1,000,000)."""
import json
import os
import re
import unittest

import fault
import malformed
from fault import support, wait_for

LINES = int(os.environ.get("SLUICE_MALFORMED_LINES", "1000000"))
MEMORY_MIB = 64
REQUIRED = ("specversion", "id", "source", "type")


def high_water_mib(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            found = re.search(r"^VmHWM:\s+([0-9]+) kB", status.read(), re.MULTILINE)
        return int(found.group(1)) / 1024 if found else 0.0
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


class MalformedTest(fault.Fault):
    def run_over(self, config):
        """Runs to the end and returns what was printed; checks the memory on the way."""
        host = self.keep(support.Process([support.SLUICE, "run", config], self.folder, "sluice"))
        peak = 0.0

        def ended():
            nonlocal peak
            peak = max(peak, high_water_mib(host.process.pid))
            return host.process.poll() is not None

        wait_for(ended, lambda: "the run to end:\n" + host.text(), patience_s=fault.RUN_S)
        self.assertEqual(host.process.returncode, 0, self.last_lines(host, 30))
        print(f"{LINES} lines, at most {peak:.1f} MiB resident", flush=True)
        if not os.environ.get("SLUICE_SANITIZED"):
            self.assertLess(peak, MEMORY_MIB)
        return host.text()

    def source_row(self, text):
        """records, delivered, dropped, rejected, not delivered."""
        rows = re.findall(r"^\s+in\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$", text, re.MULTILINE)
        self.assertEqual(len(rows), 1, text)
        return [int(number) for number in rows[0]]

    def assert_events(self, path):
        """By another parser than the host's."""
        with open(path, "rb") as passed:
            for line in passed:
                event = json.loads(line.decode("utf-8"), parse_int=float)
                for name in REQUIRED:
                    self.assertTrue(isinstance(event[name], str) and event[name], line)

    def test_counts_add_up(self):
        """Malformed lines: rejected and valid ones together are all, and what passed are events."""
        lines, log = self.path("in.jsonl"), self.path("out.jsonl")
        malformed.write(LINES, fault.SEED, lines)
        config = self.graph({"in": fault.file_source(lines, stop_at_end=True)},
                            {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": log}}})
        records, delivered, dropped, rejected, undelivered = self.source_row(self.run_over(config))
        self.assertEqual(records, LINES)
        self.assertEqual(delivered + dropped + rejected, LINES)
        self.assertEqual(undelivered, 0)
        self.assertGreater(rejected, LINES // 2)
        self.assertGreater(delivered, LINES // 100)
        self.assert_events(log)

    def test_dead_letters(self):
        """Malformed lines: each rejected one is in the dead letters with its reason, when the source has such a backend."""
        count = max(1000, LINES // 20)
        lines, log, parked = self.path("in.jsonl"), self.path("out.jsonl"), self.path("parked.jsonl")
        malformed.write(count, fault.SEED + 1, lines)
        source = {**fault.file_source(lines, stop_at_end=True), "dead_letter": "parked"}
        config = self.graph({"in": source}, {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": log}},
                                             "parked": {"class": "event_log", "config": {"path": parked}}})
        ended = self.run_to_end(config)
        self.assertEqual(ended.returncode, 0, ended.stdout)
        records, delivered, dropped, rejected, _ = self.source_row(ended.stdout)
        self.assertEqual((records, delivered + dropped + rejected), (count, count))
        letters = [json.loads(line) for line in (self.folder / "parked.jsonl").read_bytes().splitlines()]
        self.assertEqual(len(letters), rejected)
        for letter in letters:
            self.assertTrue(letter["sluiceerrorreason"], letter)


if __name__ == "__main__":
    unittest.main(verbosity=2)
