#!/usr/bin/python3
"""both_kills.py [--all | BROKER …] [--kills N] [--out FILE] — kill -9 of the host and of its broker together, under load, with
the spool of the backend on.

The servers keep what they have confirmed, as in broker_kills.py; the host keeps what it settled in its spool. Each round starts
both, waits until a random number of events were delivered and at least 1,000 are in the spool, and kills both, one or the other
first. The last host empties source and spool. compare_ids.py compares the ids: none lost, and no more twice than a kill may
bring. Prints a row per broker (--out keeps them) and ends with 1 when one did not hold."""
import json
import os

import ends
import fault
import one_broker
from fault import wait_for

PROGRESS = 2000          # events that a host delivers at most before its kill is due
IN_SPOOL = 1000
SPOOL_BYTES = 2 << 20    # when it is full the source waits: so a kill does not find everything read and settled


class Both(one_broker.Row):
    table = "both"

    def run_row(self):
        count = self.kills * PROGRESS + 4 * ends.WINDOW
        sent, config = self.into_the_broker(count, {"checkpoint_interval": f"{ends.REST_MS}ms"}, {"max_bytes": f"{SPOOL_BYTES}B"},
                                            queue={"max_events": ends.WINDOW})
        in_spool = [self.kill_one(config, number) for number in range(self.kills)]
        ended = self.run_to_end(config, "sources.in.config.stop_at_end=true", "backends.out.delivery.rate_limit=1000000/s")
        self.assertEqual(ended.returncode, 0, ended.stdout[-4000:])
        self.assertEqual([name for name in os.listdir(self.path("spool")) if name.endswith(".seg")], [])
        # What the spool has and the checkpoint does not is read again; what the server has and the spool's position does not
        # is sent again.
        per_kill = SPOOL_BYTES * count // os.path.getsize(sent) + ends.File.window
        self.judge_arrived(sent, self.kills * per_kill, min(in_spool))

    def kill_one(self, config, number):
        """Starts the host; kills both; starts the server. Returns how many were in the spool just before."""
        host = self.start(config, name=f"host{number}")
        least = self.random.randint(1, PROGRESS)

        def ready():
            self.assertIsNone(host.process.poll(), "the host ended by itself:\n" + host.text()[-4000:])
            out = host.backend()
            return out["spool"]["records"] >= IN_SPOOL and out["events_published"] >= least and out

        seen = wait_for(ready, lambda: f"kill {number}: {least} delivered and {IN_SPOOL} in the spool: "
                        f"{json.dumps(host.stats())}\n{host.text()[-4000:]}", fault.RUN_S)
        for victim in self.random.sample([host, self.server], 2):
            victim.kill()
        self.server.start()
        return seen["spool"]["records"]


if __name__ == "__main__":
    one_broker.main(Both, __doc__, "least in the spool at a kill")
