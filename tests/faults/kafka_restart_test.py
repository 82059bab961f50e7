"""The Kafka broker is killed and comes back under load: the host waits, says so and loses nothing. While the client repeats
what the wire lost and nothing goes back to the host, the order is kept and nothing comes twice. A host that is killed loses
nothing that it had not settled."""
import json
import pathlib
import socket
import unittest

import fault
from fault import wait_for

import sys
sys.path.insert(0, str(fault.TESTS))
from servers import kafka  # noqa: E402

EVENTS = 40_000
RATE = 5_000
TRIES = 2
PATIENT = "115s"         # below the publish deadline; a broker on a busy machine is back long before


def ids(path):
    return [json.loads(line)["id"] for line in fault.whole_lines(path)]


@unittest.skipUnless(kafka.available(), "the real Kafka is skipped: tests/kafka/install did not get it")
class KafkaRestartTest(fault.Fault):
    def broker(self):
        server = kafka.Server(self.folder)
        self.addCleanup(server.stop)
        return server.start()

    def sent(self, count):
        """The ids in their order."""
        return ids(self.events(count))

    def read_topic(self, broker, topic, count):
        consumer = broker.consumer(topic, consumer_timeout_ms=3000)
        got = [json.loads(message.value)["id"] for message in consumer]
        consumer.close()
        self.assertGreaterEqual(len(got), count)
        return got

    def published(self, host, least):
        wait_for(lambda: host.backend()["events_published"] >= least,
                 lambda: f"{least} events published: {json.dumps(host.backend())}\n{host.text()}", fault.RUN_S)

    def to_topic(self, broker, timeout):
        broker.create_topic("ev")
        return self.start(self.graph(
            {"in": fault.file_source(self.path("in.jsonl"))},
            {"out": {"class": "kafka", "inputs": ["in"],
                     "config": {"bootstrap_servers": broker.url, "topic": "ev", "delivery_timeout": timeout},
                     "delivery": {"rate_limit": f"{RATE}/s", "retry": {"max_attempts": 1}}}}))

    def all_arrived(self, broker, host, sent):
        """Everything is there once. The ids in the topic's order, and how often the host may have sent one again."""
        self.published(host, EVENTS)
        stats = host.backend()
        self.assertEqual((stats["events_failed"], stats["dead_lettered"]), (0, 0))
        self.assertEqual(host.end(), 0, host.text())
        got = self.read_topic(broker, "ev", EVENTS)
        print(f"sent {EVENTS}, arrived {len(got)}, twice {len(got) - len(set(got))}", flush=True)
        self.assertEqual(set(got), set(sent), "lost")
        return got, stats

    def test_backend(self):
        """kafka: away, back and nothing lost, when the broker is killed for longer than the client is patient."""
        broker, sent = self.broker(), self.sent(EVENTS)
        host = self.to_topic(broker, "2s")
        for number in range(TRIES):
            self.published(host, (number + 1) * EVENTS // (TRIES + 2))
            broker.kill()
            wait_for(lambda: host.health()[1]["out"]["state"] == "away", lambda: "the backend to be away:\n" + host.text())
            broker.start()
            wait_for(lambda: host.health()[0] == 200, lambda: "the backend to be back:\n" + host.text(), fault.RUN_S)
        got, _ = self.all_arrived(broker, host, sent)
        # What went back to the host is a retry, whose order nobody promises.
        self.assertLessEqual(len(got) - EVENTS, TRIES * 8192)

    def test_order(self):
        """kafka: in order and nothing twice, when the broker is killed and back before the client gives anything up."""
        broker, sent = self.broker(), self.sent(EVENTS)
        host = self.to_topic(broker, PATIENT)
        for number in range(TRIES):
            self.published(host, (number + 1) * EVENTS // (TRIES + 2))
            broker.restart()
        got, stats = self.all_arrived(broker, host, sent)
        self.assertEqual(stats["retries"], 0)
        self.assertEqual(got, sent, "out of order or twice")

    def test_source(self):
        """kafka source: nothing lost when the broker is killed and started while it is read."""
        broker, sent = self.broker(), self.sent(EVENTS)
        broker.create_topic("ev", 2)
        self.fill(broker, "ev")
        host = self.start(self.reading(broker))
        for number in range(TRIES):
            self.published(host, (number + 1) * EVENTS // (TRIES + 2))
            broker.restart()
        wait_for(lambda: set(ids(self.path("out.jsonl"))) == set(sent),
                 lambda: "all events to be there:\n" + host.text(), fault.RUN_S)
        self.assertEqual(host.end(), 0, host.text())

    def test_one_server_hangs(self):
        """kafka source: it notices that the broker is away, though the library has not said that all are down.

        One of the configured servers takes connections and answers nothing. The library counts it as being connected to for
        as long as it may, so that its count of brokers that are down is not the count of all."""
        hangs = socket.create_server(("127.0.0.1", 0))  # the system takes connections for it
        self.addCleanup(hangs.close)
        broker, sent = self.broker(), self.sent(EVENTS)
        broker.create_topic("ev", 2)
        self.fill(broker, "ev")
        config = self.reading(broker, f"127.0.0.1:{hangs.getsockname()[1]},", {
            "api.version.request.timeout.ms": 300_000, "socket.connection.setup.timeout.ms": 300_000})
        host = self.start(config, sets=["log.level=debug"])
        self.published(host, EVENTS // 4)
        broker.kill()
        wait_for(lambda: host.health()[1]["in"]["state"] == "away", lambda: "the source to be away:\n" + host.text()[-4000:],
                 fault.RUN_S)
        self.assertNotIn("_ALL_BROKERS_DOWN", host.text())
        broker.start()
        wait_for(lambda: set(ids(self.path("out.jsonl"))) == set(sent),
                 lambda: "all events to be there:\n" + host.text()[-4000:], fault.RUN_S)
        self.assertEqual(host.end(), 0, host.text()[-4000:])

    def test_host_killed(self):
        """kafka source: a host that is killed loses nothing, and what comes twice was under way or not committed yet."""
        broker, sent = self.broker(), self.sent(EVENTS)
        broker.create_topic("ev", 2)
        self.fill(broker, "ev")
        for number in range(TRIES):
            host = self.start(self.reading(broker), name=f"host-{number}")
            self.published(host, EVENTS // 6)
            self.assertNotEqual(host.kill(), 0)
        host = self.start(self.reading(broker), name="host-last")
        wait_for(lambda: set(ids(self.path("out.jsonl"))) == set(sent),
                 lambda: "all events to be there:\n" + host.text(), fault.RUN_S)
        self.assertEqual(host.end(), 0, host.text())
        twice = len(ids(self.path("out.jsonl"))) - EVENTS
        print(f"sent {EVENTS}, twice {twice}", flush=True)
        # Under way: the queue. Not committed: one commit interval at this rate, and what the broker takes to answer.
        self.assertLessEqual(twice, TRIES * (8192 + RATE))

    def fill(self, broker, topic):
        producer = broker.producer(linger_ms=20)
        for line in pathlib.Path(self.path("in.jsonl")).read_bytes().splitlines():
            producer.send(topic, line)
        producer.flush()
        producer.close()

    def reading(self, broker, others="", properties=None):
        return self.graph(
            {"in": {"class": "kafka", "config": {"bootstrap_servers": others + broker.url, "topics": "ev",
                                                 "group_id": "readers", "session_timeout": "6s",
                                                 "properties": properties or {}}}},
            {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": self.path("out.jsonl")},
                     "delivery": {"rate_limit": f"{RATE}/s"}}})


if __name__ == "__main__":
    unittest.main(verbosity=2)
