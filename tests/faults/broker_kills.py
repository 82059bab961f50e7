#!/usr/bin/python3
"""broker_kills.py [--all | BROKER …] [--kills N] [--out FILE] — kill -9 and restart of each broker under load, with the spool
of the backend on.

The servers keep what they have confirmed: Redis appendonly yes and appendfsync always, RabbitMQ a durable quorum queue,
JetStream file storage, Kafka acks=all (with replicas of one). Each round waits until a random number of events more were
delivered, kills the server, waits until the host says that it is away, starts it on the same port and data, and waits until
the host is healthy again. compare_ids.py compares the ids at the end: none lost, and no more twice than one window per kill.
Prints a row per broker (--out keeps them) and ends with 1 when one did not hold."""
import json

import ends
import fault
import one_broker
from fault import wait_for

PROGRESS = 3000          # events that are delivered at most between two kills


class Broker(one_broker.Row):
    table = "brokers"

    def run_row(self):
        self.count = (self.kills + 2) * PROGRESS
        sent, config = self.into_the_broker(self.count)
        host = self.start(config)
        waiting = [self.kill_one(host) for _ in range(self.kills)]
        wait_for(lambda: host.backend()["events_published"] >= self.count,
                 lambda: f"all events: {json.dumps(host.stats())}\n{host.text()[-4000:]}", fault.RUN_S)
        stats = host.backend()
        self.assertEqual((stats["events_failed"], stats["dead_lettered"]), (0, 0))
        self.assertEqual(host.end(), 0, host.text()[-4000:])
        self.judge_arrived(sent, self.kills * ends.WINDOW, min(waiting))

    def kill_one(self, host):
        """Returns how many events were there, delivered to nobody yet, just before."""
        due = host.backend()["events_published"] + self.random.randint(1, PROGRESS)
        seen = wait_for(lambda: (lambda out: out["events_published"] >= due and out)(host.backend()),
                        lambda: f"{due} delivered: {json.dumps(host.stats())}\n{host.text()[-4000:]}", fault.RUN_S)
        self.server.kill()
        # Spooled as well as in the lane; without load there is nothing that could be lost.
        waiting = self.count - seen["events_published"]
        self.assertGreater(waiting, 1000)
        wait_for(lambda: host.health()[1]["out"]["state"] == "away", lambda: "the server to be away:\n" + host.text()[-4000:],
                 fault.RUN_S)
        self.server.start()
        wait_for(lambda: host.health()[0] == 200, lambda: "the server to be back:\n" + host.text()[-4000:], fault.RUN_S)
        return waiting


if __name__ == "__main__":
    one_broker.main(Broker, __doc__, "least waiting at a kill")
