"""RabbitMQ as the guide's services use it: aio-pika, pika, amqplib and the CloudEvents SDK on one side, Sluice on the other, both
ways; the bindings' vectors; and two hosts that share a queue until one of them is killed."""

import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import pika
import support
from support import PYTHON, SCENARIOS, Process, wait_for

from servers.rabbitmq import Server

CLIENTS = support.BUILD / "clients" / "node_modules"
EXCHANGE = "draft-genie.events"
needs_node = unittest.skipUnless(shutil.which("node") and (CLIENTS / "amqplib").exists() and (CLIENTS / "cloudevents").exists(),
                                 "amqplib and cloudevents are not installed: tests/clients/install")


def setUpModule():
    global folder, server
    folder = tempfile.mkdtemp(prefix="sluice-rabbitmq-")
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    server = Server(folder).start()
    unittest.addModuleCleanup(server.stop)


def cloudevent(number, **more):
    return {"specversion": "1.0", "id": "e-%d" % number, "source": "/speakers", "type": "speaker.onboarded",
            "subject": "123", "time": "2024-01-15T10:30:00Z", "correlationid": "c-%d" % number, "aggregatetype": "Speaker",
            "data": {"speaker_id": "123", "name": "Jöhn Doe", "n": number}} | more


def domain_event(number):
    return {"event_id": "d-%d" % number, "event_type": "speaker.updated", "aggregate_id": "123", "aggregate_type": "Speaker",
            "timestamp": "2024-01-15T10:30:00Z", "version": 1, "payload": {"speaker_id": "123", "n": number}}


class RabbitClients(support.Scenario):
    def setUp(self):
        super().setUp()
        self.connection = server.connection()
        self.addCleanup(self.connection.close)
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.names = 0

    def queue(self, *patterns, **arguments):
        """A queue of this test's own, bound to the documents' exchange."""
        self.names += 1
        name = "%s-%d" % (self.id().rsplit(".", 1)[1], self.names)
        self.channel.exchange_declare(EXCHANGE, "topic", durable=True)
        self.channel.queue_declare(name, durable=True, arguments=arguments)
        for pattern in patterns:
            self.channel.queue_bind(name, EXCHANGE, pattern)
        self.addCleanup(self.channel.queue_delete, name)
        return name

    def config(self, nodes, name="sluice.yaml"):
        path = self.folder / name
        path.write_text(json.dumps({"sluice": 1, "admin": {"listen": "127.0.0.1:0"}} | nodes))
        return path

    def publish(self, events, **config):
        """Through a whole host, from standard input."""
        path = self.config({
            "sources": {"in": {"class": "stdin"}},
            "backends": {"out": {"class": "rabbitmq", "inputs": ["in"],
                                 "config": {"url": server.url, "exchange": EXCHANGE} | config}}}, "publish.yaml")
        ran = self.run_sluice("run", path, stdin="".join(json.dumps(event) + "\n" for event in events))
        self.assertEqual(ran.returncode, 0, ran.stderr)

    def consume(self, queue, name="sluice", source=None, **config):
        """A host that writes what it takes from the queue to NAME.jsonl."""
        path = self.config({
            "sources": {"in": {"class": "rabbitmq", "config": {"url": server.url, "queue": queue, "passive": True} | config}
                        | (source or {})},
            "backends": {"log": {"class": "event_log", "inputs": ["in"],
                                 "config": {"path": str(self.folder / (name + ".jsonl")), "fsync": "every_batch"}}}}, name + ".yaml")
        return self.host(str(path), dialect="native", door=False, name=name)

    def logged(self, name="sluice"):
        path = self.folder / (name + ".jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for_events(self, count, name="sluice"):
        wait_for(lambda: len(self.logged(name)) >= count, lambda: "%d events of %d" % (len(self.logged(name)), count))
        return self.logged(name)

    def node(self, command, where, *more, stdin=None):
        arguments = ["node", SCENARIOS / "consumers" / "rabbitmq_client.js", command, server.url, where, *map(str, more)]
        ran = subprocess.run(arguments, input=stdin, text=True, capture_output=True, timeout=support.PATIENCE_S,
                             env=support.environment(NODE_PATH=CLIENTS))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def depth(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.message_count

    # Sluice publishes.

    def test_the_guides_python_consumer_reads_domain_events_with_their_correlation_ids(self):
        queue = self.queue("speaker.*")
        self.publish([cloudevent(number) for number in range(25)], format="domain_event")
        consumer = self.keep(Process([PYTHON, SCENARIOS / "consumers" / "rabbitmq_consumer.py", server.url, queue, "25",
                                      "speaker.onboarded"], self.folder, "consumer"))
        self.assertEqual(consumer.wait(), 0, consumer.text())
        got = [json.loads(line) for line in consumer.text().splitlines()]
        self.assertEqual([each["event"] for each in got], [
            {"event_id": "e-%d" % n, "event_type": "speaker.onboarded", "aggregate_id": "123", "timestamp": "2024-01-15T10:30:00Z",
             "correlation_id": "c-%d" % n, "aggregate_type": "Speaker",
             "payload": {"speaker_id": "123", "name": "Jöhn Doe", "n": n}} for n in range(25)])
        self.assertEqual({key: got[7][key] for key in got[7] if key != "event"},
                         {"correlation_id": "c-7", "message_id": "e-7", "type": "speaker.onboarded",
                          "content_type": "application/json", "routing_key": "speaker.onboarded"})

    @needs_node
    def test_the_guides_typescript_consumer_reads_camel_case_and_the_sdk_reads_both_modes(self):
        camel, sdk = self.queue("speaker.*"), None
        self.publish([cloudevent(number) for number in range(3)], format="domain_event_camel")
        got = self.node("consume", camel, 3)
        self.assertEqual([each["event"]["eventId"] for each in got], ["e-0", "e-1", "e-2"])
        self.assertEqual(got[0]["event"]["eventType"], "speaker.onboarded")
        self.assertEqual(got[0]["event"]["correlationId"], "c-0")
        self.assertEqual(got[0]["correlationId"], "c-0")
        self.assertEqual(got[0]["deliveryMode"], 2)
        sdk = self.queue("speaker.*")
        for mode in ("structured", "binary"):
            self.publish([cloudevent(1)], mode=mode)
        for each in self.node("consume-sdk", sdk, 2):
            self.assertEqual(each["event"] | {"time": "2024-01-15T10:30:00Z", "datacontenttype": None},
                             cloudevent(1) | {"datacontenttype": None})

    # Sluice reads.

    def test_what_pika_publishes_arrives_once_with_the_correlation_id_of_its_properties(self):
        queue = self.queue("speaker.*")
        host = self.consume(queue, source={"format": {"preset": "domain_event", "source": "/speakers"}}, prefetch_count=50)
        for number in range(200):
            self.channel.basic_publish(EXCHANGE, "speaker.updated", json.dumps(domain_event(number)).encode(), pika.BasicProperties(
                delivery_mode=2, content_type="application/json", correlation_id="c-%d" % number))
        events = self.wait_for_events(200)
        self.assertEqual([event["id"] for event in events], ["d-%d" % number for number in range(200)])
        self.assertEqual(events[9]["correlationid"], "c-9")
        self.assertEqual(events[9]["subject"], "123")
        self.assertEqual(events[9]["data"], {"speaker_id": "123", "n": 9})
        wait_for(lambda: self.depth(queue) == 0, "an empty queue")
        self.assertEqual(host.end(), 0)
        self.assertEqual(self.depth(queue), 0)  # nothing came back when the connection ended: all was acknowledged

    @needs_node
    def test_what_amqplib_and_the_sdk_publish_is_read(self):
        objects, events = self.queue("speaker.*"), None
        self.consume(objects, "objects", source={"format": "domain_event"})
        camel = {"eventId": "uuid", "eventType": "speaker.onboarded", "aggregateId": "123", "aggregateType": "Speaker",
                 "timestamp": "2024-01-15T10:30:00Z", "version": 1, "correlationId": "correlation-uuid",
                 "payload": {"speaker_id": "123"}}
        self.node("publish", EXCHANGE, stdin=json.dumps(camel) + "\n")
        event = self.wait_for_events(1, "objects")[0]
        self.assertEqual((event["id"], event["type"], event["subject"], event["correlationid"], event["data"]),
                         ("uuid", "speaker.onboarded", "123", "correlation-uuid", {"speaker_id": "123"}))
        events = self.queue("draft.*")
        self.consume(events, "events")
        self.node("publish-sdk", EXCHANGE, stdin=json.dumps(cloudevent(1, type="draft.ingested")) + "\n")
        got = self.wait_for_events(2, "events")
        self.assertEqual([event["id"] for event in got], ["e-1-binary", "e-1-structured"])
        for event in got:
            self.assertEqual((event["correlationid"], event["subject"], event["data"]), ("c-1", "123", cloudevent(1)["data"]))

    def test_every_vector_of_the_binding_becomes_what_it_says(self):
        rows = [json.loads(line) for line in (support.ROOT / "tests/vectors/mq_bindings.jsonl").read_text().splitlines()]
        rows = [row for row in rows if row["binding"] == "rabbitmq"]
        self.assertGreaterEqual(len(rows), 6)
        for number, row in enumerate(rows):
            with self.subTest(row["name"]):
                queue, name = self.queue(**{"x-dead-letter-exchange": ""}), "vector-%d" % number
                message = row["message"]
                self.channel.basic_publish("", queue, base64.b64decode(message["body_base64"] or ""), pika.BasicProperties(
                    headers=dict(message["headers"]), content_type=message["properties"].get("content_type")))
                self.channel.basic_publish("", queue, json.dumps(cloudevent(0)).encode())
                self.consume(queue, name)
                wait_for(lambda: any(event["id"] == "e-0" for event in self.logged(name)), "the event behind it")
                got = [event for event in self.logged(name) if event["id"] != "e-0"]
                self.assertEqual(bool(got), row["expect"]["accept"])
                for event in got:
                    data = row["expect"]["data"]
                    kept = {key: value for key, value in event.items() if key not in ("data", "data_base64", "datacontenttype")}
                    self.assertEqual({key: str(value).lower() if isinstance(value, bool) else str(value)
                                      for key, value in kept.items()}, row["expect"]["attributes"])
                    self.assertEqual(event.get("data"), data.get("json"))
                    self.assertEqual(event.get("data_base64"), data.get("base64"))

    # Delivery.

    def test_what_is_no_event_is_dead_lettered_by_the_server(self):
        queue, dead = self.queue("speaker.*", **{"x-dead-letter-exchange": "dead"}), self.queue()
        self.channel.exchange_declare("dead", "fanout")
        self.channel.queue_bind(dead, "dead")
        self.consume(queue)
        self.channel.basic_publish(EXCHANGE, "speaker.updated", b"this is no event")
        self.channel.basic_publish(EXCHANGE, "speaker.updated", json.dumps(cloudevent(1)).encode())
        self.wait_for_events(1)
        wait_for(lambda: self.depth(dead) == 1, "the dead letter")
        self.assertEqual(self.channel.basic_get(dead, auto_ack=True)[2], b"this is no event")

    def test_two_hosts_share_a_queue_and_one_takes_over_what_the_other_held_when_it_was_killed(self):
        queue = self.queue("speaker.*", **{"x-queue-type": "quorum"})
        first = self.consume(queue, "first", queue_type="quorum", prefetch_count=200)
        self.consume(queue, "second", queue_type="quorum", prefetch_count=200)
        total = 4000
        for number in range(total):
            if number == total // 2:
                wait_for(lambda: self.logged("first") and self.logged("second"), "both hosts to have a share")
                os.kill(first.process.pid, signal.SIGKILL)
            self.channel.basic_publish(EXCHANGE, "speaker.onboarded", json.dumps(cloudevent(number)).encode(),
                                       pika.BasicProperties(delivery_mode=2))

        def arrived():
            ids = []
            for name in ("first", "second"):
                path = self.folder / (name + ".jsonl")
                ids += [json.loads(line)["id"] for line in path.read_text().splitlines() if line.endswith("}")]
            return ids
        wait_for(lambda: len(set(arrived())) == total, lambda: "%d of %d events" % (len(set(arrived())), total))
        self.assertLessEqual(len(arrived()) - total, 200)  # twice: at most what was in flight


if __name__ == "__main__":
    support.main()
