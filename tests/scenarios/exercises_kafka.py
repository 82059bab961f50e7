"""Kafka as the documents use it, with a real broker: their producer settings, their consumer, and a foreign producer.

One broker for all; each test has topics and groups of its own but for the documents' names."""
import json
import shutil
import sys
import tempfile
import unittest

import support
from support import PYTHON, SCENARIOS, Host, Process, environment, wait_for, whole_lines

sys.path.insert(0, str(support.ROOT / "tests"))
from servers import kafka  # noqa: E402

DOCUMENT_TYPE = "com.storytelling.nlp.document.processed"


def event(number, **more):
    return {"specversion": "1.0", "id": "e-%d" % number, "source": "stage2-nlp-processing", "type": DOCUMENT_TYPE,
            "subject": "document/doc_%d" % number, "data": {"document_id": "doc_%d" % number, "text": "Grüße 世界"}} | more


@unittest.skipUnless(kafka.available(), "the real Kafka is skipped: tests/kafka/install did not get it")
class KafkaExercises(support.Scenario):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="sluice-kafka-")
        cls.broker = kafka.Server(cls.shared).start()

    @classmethod
    def tearDownClass(cls):
        cls.broker.stop()
        shutil.rmtree(cls.shared, ignore_errors=True)

    def graph(self, name="graph.yaml", **parts):
        """JSON is YAML."""
        config = {"sluice": 1, "plugins": {"path": [str(support.BUILD / "plugins")]}} | parts
        (self.folder / name).write_text(json.dumps(config))
        return self.folder / name

    def native(self, config, **more):
        return self.keep(Host(self.folder, config, dialect="native", door=False, **more))

    def lines(self, name):
        return [json.loads(line) for line in whole_lines(self.folder / name)]

    def test_the_documents_consumer_reads_what_the_documents_settings_publish(self):
        self.broker.create_topic("nlp-document-events", 3)
        sent = [event(number) for number in range(50)]
        (self.folder / "in.jsonl").write_text("".join(json.dumps(each) + "\n" for each in sent))
        settings = {"bootstrap_servers": [self.broker.url], "topic": "nlp-document-events", "compression_type": "gzip", "acks": 1,
                    "retries": 3, "max_in_flight_requests": 5, "client_id": "stage2-nlp-producer"}
        config = self.graph(
            sources={"in": {"class": "file", "config": {"paths": [str(self.folder / "in.jsonl")], "from": "beginning",
                                                        "stop_at_end": True}}},
            backends={"kafka": {"class": "kafka", "inputs": ["in"], "config": settings}})
        ran = self.run_sluice("run", config)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        consumer = self.keep(Process([PYTHON, "-u", SCENARIOS / "consumers" / "kafka_stage3.py"], self.folder, "consumer",
                                     environment(KAFKA=self.broker.url, EVENTS=50)))
        consumer.wait_for_line("embedding", count=50)
        self.assertEqual(consumer.wait(), 0, consumer.text())
        self.assertEqual(sorted(consumer.lines("embedding")), sorted("embedding doc_%d" % number for number in range(50)))

    def test_what_kafka_python_writes_is_read_in_each_form(self):
        self.broker.create_topic("from-python")
        plain, labelled = event(1), event(2)
        producer = self.broker.producer(value_serializer=lambda value: json.dumps(value).encode())
        producer.send("from-python", plain)
        producer.send("from-python", labelled, headers=[("content-type", b"application/cloudevents+json; charset=UTF-8")])
        binary = [("ce_specversion", b"1.0"), ("ce_id", b"e-3"), ("ce_source", b"/python"), ("ce_type", b"t"),
                  ("ce_subject", "a%20b Ü".encode()), ("content-type", b"application/json")]
        producer.send("from-python", {"n": 3}, key=b"key", headers=binary)
        producer.send("from-python", "no event")
        producer.flush()
        host = self.native(self.graph(
            sources={"in": {"class": "kafka", "config": {"bootstrap_servers": self.broker.url, "topics": "from-python",
                                                         "group_id": "reader"}}},
            backends={"out": {"class": "event_log", "inputs": ["in"], "config": {"path": str(self.folder / "out.jsonl")}}}))
        wait_for(lambda: len(self.lines("out.jsonl")) == 3, lambda: "three events:\n" + host.text())
        got = self.lines("out.jsonl")
        self.assertEqual(got[:2], [plain, labelled])
        self.assertEqual(got[2], {"specversion": "1.0", "id": "e-3", "source": "/python", "type": "t", "subject": "a%20b Ü",
                                  "datacontenttype": "application/json", "data": {"n": 3}})
        wait_for(lambda: self.source(host)["settled"]["rejected"] == 1, lambda: "the text to be refused: %s" % host.stats())
        self.assertEqual(host.end(), 0, host.text())
        self.assertEqual(self.committed("reader", "from-python"), 4)

    def source(self, host, name="in"):
        return host.stats()["sources"][name]

    def committed(self, group, topic):
        from kafka import TopicPartition
        consumer = self.broker.consumer(group_id=group)
        try:
            return consumer.committed(TopicPartition(topic, 0))
        finally:
            consumer.close()

    def test_a_broker_that_is_absent_at_start_is_waited_for(self):
        later = kafka.Server(self.folder / "later", auto_create_topics_enable="true")
        (self.folder / "in.jsonl").write_text("".join(json.dumps(event(number)) + "\n" for number in range(100)))
        host = self.native(self.graph(
            sources={"in": {"class": "file", "config": {"paths": [str(self.folder / "in.jsonl")], "from": "beginning"}},
                     "back": {"class": "kafka", "config": {"bootstrap_servers": later.url, "topics": "made-by-use"}}},
            backends={"out": {"class": "kafka", "inputs": ["in"], "config": {"bootstrap_servers": later.url, "topic": "made-by-use"}},
                      "log": {"class": "event_log", "inputs": ["back"], "config": {"path": str(self.folder / "out.jsonl")}}}))
        host.wait_for_line("Not reachable at start", '"out"')
        host.wait_for_line("Not reachable at start", '"back"')
        self.addCleanup(later.stop)
        later.start()
        wait_for(lambda: len(self.lines("out.jsonl")) == 100, lambda: "100 events:\n" + host.text())
        self.assertEqual([each["id"] for each in self.lines("out.jsonl")], ["e-%d" % number for number in range(100)])
        self.assertEqual(host.end(), 0, host.text())

    def test_a_property_that_the_library_does_not_know_is_refused_at_the_start(self):
        config = self.graph(
            sources={"in": {"class": "stdin"}},
            backends={"out": {"class": "kafka", "inputs": ["in"], "config": {"properties": {"linger.secs": 1}}}})
        ran = self.run_sluice("run", config)
        self.assertEqual(ran.returncode, 78, ran.stderr)
        self.assertIn('No such configuration property: "linger.secs"', ran.stderr)


if __name__ == "__main__":
    support.main()
