"""RabbitMQ is killed and comes back under load: the host waits, says so and loses nothing; a host that is killed loses nothing
that it had not settled, and what comes twice was under way."""
import json
import shutil
import sys
import tempfile
import unittest

import fault
from fault import wait_for

sys.path.insert(0, str(fault.TESTS))
from servers import rabbitmq  # noqa: E402

EVENTS = 12_000
RATE = 3_000
TRIES = 2
WINDOW = 1024
PREFETCH = 1500
QUEUE = {"durable": True, "arguments": {"x-queue-type": "quorum"}}


def ids(path):
    return [json.loads(line)["id"] for line in fault.whole_lines(path)]


class RabbitRestartTest(fault.Fault):
    @classmethod
    def setUpClass(cls):
        cls.server_folder = tempfile.mkdtemp(prefix="sluice-rabbitmq-")
        cls.server = rabbitmq.Server(cls.server_folder).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.server_folder, ignore_errors=True)

    def declare(self, queue):
        connection = self.server.connection()
        connection.channel().queue_declare(queue, **QUEUE)
        connection.close()
        self.server.sync()

    def published(self, host, least):
        wait_for(lambda: host.backend()["events_published"] >= least,
                 lambda: f"{least} events published: {json.dumps(host.backend())}\n{host.text()}", fault.RUN_S)

    def to_queue(self, queue, rate):
        return {"out": {"class": "rabbitmq", "inputs": ["in"],
                        "config": {"url": self.server.url, "exchange": "", "routing_key": queue, "window": WINDOW},
                        "delivery": {"rate_limit": f"{rate}/s", "retry": {"max_attempts": 1}}}}

    def fill(self, queue):
        """The queue, filled by a host of its own."""
        self.declare(queue)
        host = self.start(self.graph({"in": fault.file_source(self.path("in.jsonl"))}, self.to_queue(queue, 1_000_000)), name="filler")
        self.published(host, EVENTS)
        self.assertEqual(host.end(), 0, host.text())

    def reading(self, queue):
        return self.graph(
            {"in": {"class": "rabbitmq", "config": {"url": self.server.url, "queue": queue, "queue_type": "quorum",
                                                    "prefetch_count": PREFETCH}}},
            {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": self.path("out.jsonl")},
                     "delivery": {"rate_limit": f"{RATE}/s"}}})

    def messages(self, queue):
        connection = self.server.connection()
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1000)
        got = []
        for method, _, body in channel.consume(queue, inactivity_timeout=3):
            if method is None:
                break
            got.append(json.loads(body)["id"])
            channel.basic_ack(method.delivery_tag)
        connection.close()
        return got

    def test_backend(self):
        """rabbitmq: away, back, and nothing lost, when the server is killed and started under load."""
        sent = ids(self.events(EVENTS))
        self.declare("backend")
        host = self.start(self.graph({"in": fault.file_source(self.path("in.jsonl"))}, self.to_queue("backend", RATE)))
        for number in range(TRIES):
            self.published(host, (number + 1) * EVENTS // (TRIES + 2))
            self.server.kill()
            wait_for(lambda: host.health()[1]["out"]["state"] == "away", lambda: "the backend to be away:\n" + host.text())
            self.server.start()
            wait_for(lambda: host.health()[0] == 200, lambda: "the backend to be back:\n" + host.text(), fault.RUN_S)
        self.published(host, EVENTS)
        stats = host.backend()
        self.assertEqual((stats["events_failed"], stats["dead_lettered"]), (0, 0))
        self.assertEqual(host.end(), 0, host.text())
        got = self.messages("backend")
        print(f"sent {EVENTS}, arrived {len(got)}, twice {len(got) - len(set(got))}", flush=True)
        self.assertEqual(set(got), set(sent), "lost")
        self.assertLessEqual(len(got) - EVENTS, TRIES * WINDOW)

    def test_source(self):
        """rabbitmq source: nothing lost when the server is killed and started while its queue is read."""
        sent = ids(self.events(EVENTS))
        self.fill("source")
        host = self.start(self.reading("source"))
        for number in range(TRIES):
            self.published(host, (number + 1) * EVENTS // (TRIES + 2))
            self.server.restart()
        wait_for(lambda: set(ids(self.path("out.jsonl"))) == set(sent),
                 lambda: "all events to be there:\n" + host.text(), fault.RUN_S)
        self.assertEqual(host.end(), 0, host.text())
        twice = len(ids(self.path("out.jsonl"))) - EVENTS
        print(f"sent {EVENTS}, twice {twice}", flush=True)
        self.assertLessEqual(twice, TRIES * PREFETCH)

    def test_host_killed(self):
        """rabbitmq source: a host that is killed with more than a thousand events under way loses nothing."""
        sent = ids(self.events(EVENTS))
        self.fill("host")
        for number in range(TRIES):
            host = self.start(self.reading("host"), name=f"host-{number}")
            self.published(host, EVENTS // 6)
            self.assertNotEqual(host.kill(), 0)
        host = self.start(self.reading("host"), name="host-last")
        wait_for(lambda: set(ids(self.path("out.jsonl"))) == set(sent),
                 lambda: "all events to be there:\n" + host.text(), fault.RUN_S)
        self.assertEqual(host.end(), 0, host.text())
        twice = len(ids(self.path("out.jsonl"))) - EVENTS
        print(f"sent {EVENTS}, twice {twice}", flush=True)
        self.assertLessEqual(twice, TRIES * PREFETCH)


if __name__ == "__main__":
    unittest.main(verbosity=2)
