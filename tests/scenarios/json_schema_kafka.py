"""What serializers with a schema registry write to Kafka, read from a real broker: frames with JSON in them are compared, frames
with anything else, and ids in the newer form, are refused by name."""

import base64
import json
import shutil
import tempfile
import unittest
import uuid

import support
from support import Host, wait_for

from servers import kafka
from servers.schema_registry import Server

ORDER = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
AVRO = '{"type": "record", "name": "order", "fields": [{"name": "n", "type": "int"}]}'
PROTOBUF = 'syntax = "proto3"; message Order { int32 n = 1; }'


def payload(event):
    """In JSON bytes that happen to be text are a text."""
    return base64.b64decode(event["data_base64"]) if "data_base64" in event else event["data"].encode()


@unittest.skipUnless(kafka.available(), "the real Kafka is skipped: tests/kafka/install did not get it")
class FramesFromKafka(support.Scenario):
    def setUp(self):
        super().setUp()
        self.data = tempfile.mkdtemp(prefix="sluice-kafka-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.broker = kafka.Server(self.data).start()
        self.addCleanup(self.broker.stop)
        self.registry = Server().start()
        self.addCleanup(self.registry.stop)
        self.broker.create_topic("orders")

    def lines(self, name):
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def test_frames_are_compared_and_what_is_no_json_is_refused_by_name(self):
        order, avro, proto = (self.registry.register(name, schema, kind) for name, schema, kind in (
            ("orders-value", ORDER, "JSON"), ("avro-value", AVRO, "AVRO"), ("proto-value", PROTOBUF, "PROTOBUF")))
        guid = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef").bytes

        def frame(number, data):
            return b"\0" + number.to_bytes(4, "big") + data

        good, bad = json.dumps({"n": 7, "text": "Grüße 世界"}, ensure_ascii=False).encode(), b'{"n": "seven"}'
        wanted = {"good": None, "bad": "schema %d of the registry: /n: " % order, "avro": "is of type AVRO, which is not supported",
                  "proto": "is of type PROTOBUF, which is not supported", "guid": "a GUID in its frame",
                  "header": "a GUID in a header of its message", "nobody": "404"}
        values = {"good": frame(order, good), "bad": frame(order, bad), "avro": frame(avro, b"\x0e"), "proto": frame(proto, b"\0\x08\x07"),
                  "guid": b"\1" + guid + good, "header": good, "nobody": frame(4711, good)}
        producer = self.broker.producer()
        for name, value in values.items():
            headers = [("ce_specversion", b"1.0"), ("ce_id", name.encode()), ("ce_source", b"/shop"), ("ce_type", b"order"),
                       ("content-type", b"application/json" if name == "header" else b"application/octet-stream")]
            producer.send("orders", value, headers=headers + ([("__value_schema_id", b"\1" + guid)] if name == "header" else []))
        producer.flush()

        registry = {"url": self.registry.url}
        log = lambda name, given: {"class": "event_log", "inputs": [given], "config": {"path": str(self.folder / name)}}  # noqa: E731
        config = self.folder / "graph.yaml"
        config.write_text(json.dumps({
            "sluice": 1, "plugins": {"path": [str(support.BUILD / "plugins")]},
            "sources": {"in": {"class": "kafka", "config": {"bootstrap_servers": self.broker.url, "topics": "orders"}}},
            "consumers": {
                "tagging": {"class": "json_schema", "inputs": ["in"],
                            "config": {"registry": registry, "on_invalid": "tag", "on_unavailable": "tag"}},
                "strict": {"class": "json_schema", "inputs": ["in"], "config": {"registry": registry, "on_unavailable": "wait"}}},
            "backends": {"tagged": log("tagged.jsonl", "tagging"), "passed": log("passed.jsonl", "strict"),
                         "refused": log("refused.jsonl", "strict.rejected")}}))
        host = self.keep(Host(self.folder, config, dialect="native", door=False))
        tagged = wait_for(lambda: len(self.lines("tagged.jsonl")) == len(wanted) and self.lines("tagged.jsonl"),
                          lambda: "%s of %s:\n%s" % (self.lines("tagged.jsonl"), list(wanted), host.text()))
        for event in tagged:
            with self.subTest(event=event["id"]):
                if wanted[event["id"]] is None:
                    self.assertNotIn("schemaerror", event)
                    self.assertEqual(payload(event), values["good"])  # the frame stays
                else:
                    self.assertIn(wanted[event["id"]], event["schemaerror"])
        wait_for(lambda: len(self.lines("refused.jsonl")) == len(wanted) - 1, lambda: host.text())
        self.assertEqual([event["id"] for event in self.lines("passed.jsonl")], ["good"])
        self.assertEqual(host.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
