#!/usr/bin/python3
"""crash_pairs.py [--all | SOURCE:BACKEND …] [--kills N] [--out FILE] — kill -9 of the host at random moments, for each
pair of a durable source and a backend.

Each round starts the host, waits until a random number of events were delivered and at least 1,000 are in flight by the
host's own page, kills it, and starts it again. The last host drains the source. compare_ids.py, which knows nothing of the
host, compares the ids: none lost, and no more twice than what was in flight, summed over the kills. Prints a row per pair
as it is done (--out keeps them) and ends with 1 when a pair did not hold. SLUICE_SEED is printed and changes the dice."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

import ends
import fault
from fault import wait_for

IN_FLIGHT = 1000
PROGRESS = 1500          # events that a host delivers at most before its kill is due
SKIPPED = 77
HEAD = "| pair | kills | sent | arrived | lost | duplicated | bound | least in flight at a kill |\n|---|--:|--:|--:|--:|--:|--:|--:|"


class Pair(fault.Fault):
    """One pair, tried as a test of unittest, whose folder and cleaning it uses."""

    def __init__(self, servers, source, backend, kills):
        super().__init__("run_pair")
        self.servers, self.kinds, self.kills = servers, (source, backend), kills

    def run_pair(self):
        source, backend = self.kinds
        name = f"{source}-{backend}"
        self.random.seed(f"{fault.SEED} {name}")
        self.source = ends.KINDS[source](self.servers.of(source), self.folder, "from-" + name)
        self.far = ends.KINDS[backend](self.servers.of(backend), self.folder, "to-" + name)
        # Half of the largest progress per kill is what is used up; the rest must still fill the windows.
        sent = self.events(self.kills * PROGRESS * 3 // 4 + 3 * ends.WINDOW)
        self.source.fill(self, sent)
        self.far.prepare()
        if hasattr(self.far, "end"):
            self.keep(self.far)
        # Made once: the position of a source must not depend on the test.
        config = self.graph({"in": self.source.source()},
                            {"out": {**self.far.backend(), "inputs": ["in"], "delivery": {
                                "queue": {"max_events": ends.WINDOW}, "rate_limit": f"{ends.RATE}/s"}}})
        in_flight = [self.kill_one(config, number) for number in range(self.kills)]
        self.drain(config)
        self.judge(sent, self.far.write_lines(self.path("arrived.jsonl")), min(in_flight))

    def kill_one(self, config, number):
        """Starts, kills. Returns how many were in flight just before."""
        host = self.start(config, name=f"host{number}")
        least = self.random.randint(1, PROGRESS)

        def ready():
            self.assertIsNone(host.process.poll(), "the host ended by itself:\n" + host.text()[-4000:])
            out = host.backend()
            return out["queue_events"] >= IN_FLIGHT and out["events_published"] >= least and out

        seen = wait_for(ready, lambda: f"kill {number}: {least} delivered and {IN_FLIGHT} in flight: "
                        f"{json.dumps(host.stats())}\n{host.text()[-4000:]}", fault.RUN_S)
        host.kill()
        return seen["queue_events"]

    def drain(self, config):
        fast = "backends.out.delivery.rate_limit=1000000/s"
        if self.source.stop_at_end:
            ended = self.run_to_end(config, "sources.in.config.stop_at_end=true", fast)
            self.assertEqual(ended.returncode, 0, ended.stdout[-4000:])
            return
        for _ in range(5):
            left = self.source.left()
            if left == 0:
                return
            host = self.start(config, sets=[fast], name="last")
            wait_for(lambda: self.source.is_read(host, left),
                     lambda: f"{left} events to be settled: {json.dumps(host.stats())}\n{host.text()[-4000:]}", fault.RUN_S)
            self.assertEqual(host.end(), 0, host.text()[-4000:])
        self.fail("the source does not come to its end")

    def judge(self, sent, arrived, in_flight):
        bound = self.kills * self.source.window
        ran = subprocess.run([fault.support.PYTHON, str(fault.HERE / "compare_ids.py"), sent, arrived, str(bound)],
                             capture_output=True, text=True)
        figures = dict(re.findall(r"([a-z]+) (\d+)", ran.stdout))
        self.row = "| %s → %s | %d | %s | %s | %s | %s | %d | %d |" % (
            *self.kinds, self.kills, figures["sent"], figures["delivered"], figures["lost"], figures["duplicates"], bound, in_flight)
        self.assertEqual(ran.returncode, 0, self.row + "\n" + ran.stdout + ran.stderr)


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("pairs", nargs="*", help="SOURCE:BACKEND")
    ask.add_argument("--all", action="store_true")
    ask.add_argument("--kills", type=int, default=int(os.environ.get("SLUICE_KILLS", "2")))
    ask.add_argument("--out", type=pathlib.Path, help="rows are added to this file as well")
    given = ask.parse_args()
    pairs = [(source, backend) for source in ends.SOURCES for backend in ends.BACKENDS] if given.all else [
        tuple(pair.split(":")) for pair in given.pairs]
    print(f"seed {fault.SEED}\n{HEAD}", flush=True)
    failed = tried = 0
    with tempfile.TemporaryDirectory(prefix="sluice-pairs-", ignore_cleanup_errors=True) as folder:
        servers = ends.Servers(folder)
        try:
            for source, backend in pairs:
                why = ends.missing((source, backend))
                if why:
                    print(f"{source} → {backend}: {why}", flush=True)
                    continue
                started, case, result = time.monotonic(), Pair(servers, source, backend, given.kills), unittest.TestResult()
                case.run(result)
                tried += 1
                for _, text in result.failures + result.errors:
                    failed += 1
                    print(f"{source} → {backend} FAILED:\n{text}", flush=True)
                row = getattr(case, "row", None)
                if row:
                    print(row, f"<!-- {time.monotonic() - started:.0f} s -->", flush=True)
                if row and given.out:
                    with open(given.out, "a", encoding="utf-8") as out:
                        out.write(row + "\n")
        finally:
            servers.end()
    sys.exit(1 if failed else 0 if tried else SKIPPED)


if __name__ == "__main__":
    main()
