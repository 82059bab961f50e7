#!/usr/bin/python3
"""crash_pairs.py [--all | SOURCE:BACKEND …] [--kills N] [--out FILE] — kill -9 of the host at random moments, for each
pair of a durable source and a backend.

Each round starts the host, waits until a random number of events were delivered and at least 1,000 are in flight by the
host's own page, kills it, and starts it again. The last host drains the source. compare_ids.py, which knows nothing of the
host, compares the ids: none lost, and no more twice than what was in flight, summed over the kills. Prints a row per pair
as it is done (--out keeps them) and ends with 1 when a pair did not hold. SLUICE_SEED is printed and changes the dice."""
import argparse
import json
import sys
import tempfile

import ends
import fault
import kill_table
from fault import wait_for

IN_FLIGHT = 1000
PROGRESS = 1500          # events that a host delivers at most before its kill is due


class Pair(kill_table.Row):
    table = "pairs"

    def __init__(self, servers, source, backend, kills):
        super().__init__(f"{source} → {backend}", (source, backend), kills)
        self.servers = servers

    def run_row(self):
        source, backend = self.kinds
        name = f"{source}-{backend}"
        self.source = ends.KINDS[source](self.servers.of(source), self.folder, "from-" + name)
        self.far = ends.KINDS[backend](self.servers.of(backend), self.folder, "to-" + name)
        # Half of the largest progress per kill is what is used up; the rest must still fill the windows.
        sent = self.events(self.kills * PROGRESS + 4 * ends.WINDOW)
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
        self.judge(sent, self.far.write_lines(self.path("arrived.jsonl")), self.kills * self.source.window, min(in_flight))

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


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("pairs", nargs="*", help="SOURCE:BACKEND")
    given = kill_table.arguments(ask)
    pairs = [(source, backend) for source in ends.SOURCES for backend in ends.BACKENDS] if given.all else [
        tuple(pair.split(":")) for pair in given.pairs]
    with tempfile.TemporaryDirectory(prefix="sluice-pairs-", ignore_cleanup_errors=True) as folder:
        servers = ends.Servers(folder)
        try:
            code = kill_table.run((Pair(servers, *pair, given.kills) for pair in pairs), ("pair", "least in flight at a kill"),
                                  given.out, ends.missing)
        finally:
            servers.end()
    sys.exit(code)


if __name__ == "__main__":
    main()
