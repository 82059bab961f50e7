"""Schemas out of a registry, in a whole host: framed payloads, references, a registry that is killed, away at a restart,
slow, wrong or locked."""

import base64
import json
import pathlib
import subprocess
import tempfile
import unittest

from support import PATIENCE_S, ROOT, SLUICE, Host, Recorder, environment, http, wait_for
from servers.schema_registry import Server
from servers.tls import Certificates

ORDER = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
CONFIG = """
sluice: 1
log: {level: debug}
sources:
  door: {class: http, config: {listen: "127.0.0.1:0"}}
consumers:
  shape:
    class: json_schema
    inputs: [door]
    config: %s
backends:
  good: {class: event_log, inputs: [shape], config: {path: out/good.jsonl}}
"""


def event(number, data=None, type="order", **more):
    made = {"specversion": "1.0", "id": str(number), "source": "/shop", "type": type} | more
    return made | ({} if data is None else {"data": data})


def framed(number, schema_id, data, **more):
    raw = b"\0" + schema_id.to_bytes(4, "big") + json.dumps(data).encode()
    return event(number, type="framed", data_base64=base64.b64encode(raw).decode(), **more)


class WithRegistry(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)
        self.hosts = 0

    def registry(self, **more):
        registry = Server(**more).start()
        self.addCleanup(lambda: (registry.go_on.set(), registry.stop()))
        return registry

    def host(self, registry, *sets, **config):
        """The keys of registry: by their names, others with node_ before them."""
        node = {key[5:]: config.pop(key) for key in list(config) if key.startswith("node_")}
        file = self.folder / "sluice.yaml"
        file.write_text(CONFIG % json.dumps({"registry": {"url": registry.url} | config} | node))
        self.hosts += 1
        host = Host(self.folder, file, sets=sets, dialect="native", name="sluice-%d" % self.hosts)
        self.addCleanup(host.end)
        return host

    def delivered(self):
        file = self.folder / "out" / "good.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def metric(self, host, series):
        for line in host.page("/metrics")[1].splitlines():
            name, _, value = line.rpartition(" ")
            if not line.startswith("#") and all(part in name for part in series):
                return float(value)
        return 0.0

    def assert_fits(self, host, one, fits=True, part=""):
        status, text = host.post(one)
        self.assertEqual(status, 202 if fits else 422, text + host.text())
        self.assertIn(part, text)


class Fetching(WithRegistry):
    def test_a_subject_by_type_a_dataschema_and_a_frame_find_their_schema_and_a_frame_is_kept_byte_for_byte(self):
        registry = self.registry()
        number = registry.register("orders/v 1", ORDER)
        registry.register("other", {"type": "string"})
        host = self.host(registry, subjects={"order": "orders/v 1"}, subject="{type}")
        self.assert_fits(host, event(1, {"n": 1}))
        self.assert_fits(host, event(2, {"n": "x"}), False, "subject orders/v 1 version 1: /n: ")
        self.assert_fits(host, event(3, 7, "other"), False, "subject other version 1")
        self.assert_fits(host, event(4, 7, "nobody"))
        where = registry.url + "/schemas/ids/%d" % number
        self.assert_fits(host, event(5, {}, "nobody", dataschema=where), False, "Missing required property")
        good = framed(6, number, {"n": 1})
        self.assert_fits(host, good)
        self.assert_fits(host, framed(7, number, {"n": "x"}), False, "schema %d of the registry: /n: " % number)
        wait_for(lambda: len(self.delivered()) == 3, lambda: str(self.delivered()))
        self.assertEqual(self.delivered()[-1]["data_base64"], good["data_base64"])
        self.assertEqual(self.metric(host, ("fetches_total", 'result="not_found"')), 1)
        self.assertEqual(self.metric(host, ("fetches_total", 'result="ok"')), 3)
        self.assertGreaterEqual(self.metric(host, ("lookups_total", 'result="fresh"')), 2)
        self.assertEqual(registry.asked.count("/schemas/ids/%d" % number), 1)

    def test_a_frame_in_binary_mode_is_read_and_kept_too(self):
        registry = self.registry()
        number = registry.register("orders", ORDER)
        host = self.host(registry)
        headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "order",
                   "Content-Type": "application/octet-stream"}
        body = base64.b64decode(framed(1, number, {"n": 1})["data_base64"])
        self.assertEqual(http("POST", host.door, body, headers)[0], 202)
        status, text = http("POST", host.door, body.replace(b"1}", b"'x'}"), headers)
        self.assertEqual(status, 422)
        self.assertIn("is no JSON", text)
        wait_for(self.delivered, "the event")
        kept = self.delivered()[0]  # bytes that happen to be text may be written as text
        self.assertEqual(kept["data"].encode() if "data" in kept else base64.b64decode(kept["data_base64"]), body)

    def test_a_tagged_frame_is_kept_byte_for_byte_too(self):
        registry = self.registry()
        bad = framed(1, registry.register("orders", ORDER), {"n": "x"})
        host = self.host(registry, node_on_invalid="tag")
        self.assert_fits(host, bad)
        wait_for(self.delivered, "the event")
        self.assertIn("/n: ", self.delivered()[0].pop("schemaerror"))
        self.assertEqual(self.delivered()[0]["data_base64"], bad["data_base64"])

    def test_a_schema_that_refers_to_others_is_fetched_with_them(self):
        registry = self.registry()
        registry.register("money", {"definitions": {"m": {"type": "number"}}})
        registry.register("lines", {"items": {"$ref": "money.json#/definitions/m"}}, references=[("money.json", "money", 1)])
        registry.register("order", {"properties": {"lines": {"$ref": "lines.json"}}}, references=[("lines.json", "lines", 1)])
        host = self.host(registry, subject="{type}")
        self.assert_fits(host, event(1, {"lines": [1, 2.5]}))
        self.assert_fits(host, event(2, {"lines": [1, "x"]}), False, "/lines/1: ")

    def test_a_new_version_is_used_when_the_older_one_is_no_longer_fresh(self):
        registry = self.registry()
        registry.register("order", ORDER)
        host = self.host(registry, subjects={"order": "order"}, ttl="50ms")
        self.assert_fits(host, event(1, {"n": 1}))
        registry.register("order", {"type": "string"})
        wait_for(lambda: host.post(event(2, "text"))[0] == 202, "the new version")
        pinned = self.host(registry, subjects={"order": "order@1"})
        self.assert_fits(pinned, event(3, "text"), False, "version 1")

    def test_another_level_of_compatibility_than_expected_is_said_once(self):
        registry = self.registry()
        registry.level = "NONE"
        registry.register("order", ORDER)
        host = self.host(registry, subjects={"order": "order"}, compatibility="BACKWARD")
        said = host.wait_for_line("keeps subject order at compatibility NONE, not BACKWARD: set it with PUT ")
        self.assertEqual(len(said), 1)


class Settings(WithRegistry):
    def test_the_example_compares_keeps_what_it_fetched_and_refuses_what_does_not_fit(self):
        registry = self.registry()
        registry.register("specimens", (ROOT / "config/examples/schemas/specimen.completed.json").read_text())
        host = Host(self.folder, ROOT / "config/examples/schema_registry.yaml", dialect="native",
                    sets=["consumers.shape.config.registry.url=" + registry.url])
        self.addCleanup(host.end)
        good = {"run_id": "r1", "fields": {"name": "Quercus"}, "confidence": 0.9}
        self.assert_fits(host, event(1, good, "specimen.completed"))
        self.assert_fits(host, event(2, good | {"confidence": 7}, "specimen.completed"), False, "/confidence: ")
        kept = self.folder / "out" / "schemas.cache"
        wait_for(lambda: "/subjects/specimens/versions/latest" in kept.read_text(), "the cache file")
        wait_for(lambda: (self.folder / "out" / "specimens.jsonl").read_text().count("\n") == 1, "the event")

    def test_the_settings_documents_block_compares_what_is_published_with_the_subject_of_its_type(self):
        registry = self.registry()
        registry.level = "FULL"
        kind = "com.storytelling.nlp.document.processed"
        registry.register(kind, ORDER)
        receiver = Recorder()
        self.addCleanup(receiver.end)
        file = self.folder / "settings.yaml"
        file.write_text("""events:
  enabled: true
  backend: webhook
  webhook: {urls: ["%s"]}
  schema_registry:
    url: "%s"
    compatibility: BACKWARD
""" % (receiver.url, registry.url))
        host = Host(self.folder, file)
        self.addCleanup(host.end)
        self.assert_fits(host, event(1, {"n": 1}, kind))
        self.assert_fits(host, event(2, {"n": "x"}, kind), False, "subject %s version 1: /n: " % kind)
        self.assert_fits(host, event(3, {"n": "x"}, "com.storytelling.nlp.document.failed"))
        wait_for(lambda: len(receiver.requests) == 2, "what fits, and what has no schema")
        host.wait_for_line("at compatibility FULL, not BACKWARD")
        registry.stop()
        self.assert_fits(host, event(4, {"n": "x"}, "com.storytelling.nlp.batch.started"))


class Outages(WithRegistry):
    def test_what_is_in_the_cache_serves_while_the_registry_is_dead_and_what_is_not_follows_the_policy(self):
        registry = self.registry()
        number = registry.register("order", ORDER)
        host = self.host(registry, subjects={"order": "order"}, ttl="1ms", node_on_unavailable="reject")
        self.assert_fits(host, event(1, {"n": 1}))
        registry.stop()
        for i in range(20):
            self.assert_fits(host, event(10 + i, {"n": 1}))
        self.assert_fits(host, event(40, {"n": "x"}), False, "/n: ")
        self.assert_fits(host, framed(41, number, {"n": 1}), False, "/schemas/ids/%d cannot be had: " % number)
        host.wait_for_line("the schema registry", "cannot be used")
        self.assertGreaterEqual(self.metric(host, ("fetches_total", 'result="away"')), 1)
        self.assertGreaterEqual(self.metric(host, ("lookups_total", 'result="stale"')), 1)
        registry.start()
        wait_for(lambda: host.post(framed(42, number, {"n": 1}))[0] == 202, "the registry to be asked again")
        host.wait_for_line("answers again")

    def test_a_restart_while_the_registry_is_away_finds_the_schemas_on_disk(self):
        registry = self.registry()
        number = registry.register("order", ORDER)
        keys = dict(subjects={"order": "order"}, cache_file="state/schemas", node_on_unavailable="reject")
        host = self.host(registry, **keys)
        self.assert_fits(host, event(1, {"n": 1}))
        self.assert_fits(host, framed(2, number, {"n": 1}))
        file = self.folder / "state" / "schemas"
        wait_for(lambda: file.read_text().count("\n") == 3, "both schemas in the file")
        host.process.kill()
        host.wait()
        registry.stop()
        host = self.host(registry, **keys)
        self.assert_fits(host, event(3, {"n": 1}))
        self.assert_fits(host, event(4, {"n": "x"}), False, "subject order version 1: /n: ")
        self.assert_fits(host, framed(5, number, {"n": "x"}), False, "/n: ")

    def test_waiting_holds_the_event_until_the_registry_is_there(self):
        registry = self.registry()
        registry.register("order", ORDER)
        registry.stop()
        host = self.host(registry, subjects={"order": "order"}, wait_at_most="20s")
        host.wait_for_line("cannot be used")
        with subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", host.door, "-H",
                               "Content-Type: application/cloudevents+json", "-d", json.dumps(event(1, {"n": 1}))],
                              stdout=subprocess.PIPE, text=True, env=environment()) as posting:
            wait_for(lambda: self.metric(host, ("fetches_total", 'result="away"')) >= 2, "a second attempt")
            registry.start()
            self.assertEqual(posting.communicate(timeout=PATIENCE_S)[0], "202")

    def test_a_registry_that_takes_requests_and_answers_none_holds_a_batch_no_longer_than_asked(self):
        registry = self.registry()
        registry.register("order", ORDER)
        registry.hold()
        host = self.host(registry, subject="{type}", wait_at_most="100ms", timeout="1s", node_on_unavailable="pass")
        self.assert_fits(host, event(1, {"n": "x"}))
        wait_for(lambda: self.metric(host, ("fetches_total", 'result="slow"')) >= 1, "the timeout")
        host.wait_for_line("cannot be used: Timeout was reached")
        registry.go_on.set()
        wait_for(lambda: host.post(event(2, {"n": "x"}))[0] == 422, "the schema")
        registry.hold()
        host.end()

    def test_a_schema_that_is_not_there_or_none_is_rejected_with_the_reason_and_the_next_event_goes_on(self):
        registry = self.registry()
        broken = registry.register("broken", '{"properties": {"a": {"type": "strnig"}}}')
        avro = registry.register("avro", '"string"', "AVRO")
        registry.register("order", ORDER)
        host = self.host(registry, subjects={"order": "order", "lost": "nobody"})
        for one, part in ((framed(1, 99, 1), "Schema not found"), (framed(2, broken, {}), "#/properties/a/type names no type"),
                          (framed(3, avro, {}), "is of type AVRO"),
                          (event(4, 1, "lost"), "/subjects/nobody/versions/latest cannot be had: it answers 404")):
            self.assert_fits(host, one, False, part)
        self.assert_fits(host, event(5, {"n": 1}))

    def test_what_is_no_schema_registry_is_named(self):
        registry = self.registry()
        registry.register("order", ORDER)
        registry.said["/subjects/order/versions/latest"] = (200, b"<html>")
        host = self.host(registry, subjects={"order": "order"}, node_on_unavailable="reject")
        self.assert_fits(host, event(1, {"n": 1}), False, "is the url that of a schema registry?")
        registry.said["/subjects/order/versions/latest"] = (302, {"to": "/subjects/order/versions/latest"})
        wait_for(lambda: "redirect" in host.post(event(2, {"n": 1}))[1], "the redirects to end")


class Access(WithRegistry):
    def test_the_password_is_asked_of_a_file_each_time_and_never_shown(self):
        registry = self.registry(auth=("sluice", "s3cret-right"))
        registry.register("order", ORDER)
        file = self.folder / "password"
        file.write_text("s3cret-wrong\n")
        host = self.host(registry, subjects={"order": "order"}, username="sluice", password_file=str(file),
                         node_on_unavailable="reject")
        self.assert_fits(host, event(1, {"n": 1}), False, "it answers 401: Unauthorized; check username and password, or token")
        file.write_text("s3cret-right\n")
        wait_for(lambda: host.post(event(2, {"n": 1}))[0] == 202, "the right password")
        host.end()
        self.assertNotIn("s3cret", host.text())

    def test_a_token_is_sent_and_masked_in_the_graph(self):
        registry = self.registry(token="s3cret-token")
        registry.register("order", ORDER)
        host = self.host(registry, subjects={"order": "order"}, token="s3cret-token")
        self.assert_fits(host, event(1, {"n": "x"}), False, "/n: ")
        shown = subprocess.run([SLUICE, "graph", self.folder / "sluice.yaml", "--format", "text"], text=True,
                               capture_output=True, timeout=PATIENCE_S, env=environment())
        self.assertIn(registry.url, shown.stdout)
        host.end()
        self.assertNotIn("s3cret", shown.stdout + shown.stderr + host.text())

    def test_tls_is_checked_with_the_authority_that_is_named(self):
        tls = Certificates(self.folder / "tls")
        registry = self.registry(tls=(tls.server.certificate, tls.server.key))
        registry.register("order", ORDER)
        trusting = self.host(registry, subjects={"order": "order"}, ca_file=str(tls.authority))
        self.assert_fits(trusting, event(1, {"n": "x"}), False, "/n: ")
        strange = self.host(registry, subjects={"order": "order"}, node_on_unavailable="reject")
        self.assert_fits(strange, event(2, {"n": 1}), False, "certificate")

    def test_settings_that_cannot_work_are_refused_by_check_with_their_place(self):
        file = self.folder / "bad.yaml"
        file.write_text("""sluice: 1
sources: { in: { class: stdin } }
consumers:
  shape:
    class: json_schema
    inputs: [in]
    config:
      registry:
        url: http://me:secret@127.0.0.1:1
backends: { out: { class: stdout, inputs: [shape] } }
""")
        for change, place, part in ((None, "9:14", "holds a user or a password"), ("ftp://x", "9:14", "must begin with http"),
                                    ("http://x\n        ttl: 0", "10:14", "registry"), ("http://x\n        urls: 1", "10:9", "urls"),
                                    ("http://x\n        token: a\n        token_file: b", "10:16", "not both")):
            text = file.read_text()
            bad = self.folder / "changed.yaml"
            bad.write_text(text if change is None else text.replace("http://me:secret@127.0.0.1:1", change))
            ran = subprocess.run([SLUICE, "check", bad], text=True, capture_output=True, timeout=PATIENCE_S, env=environment())
            said = ran.stdout + ran.stderr
            self.assertEqual(ran.returncode, 78, said)
            self.assertIn("changed.yaml:%s" % place, said)
            self.assertIn(part, said)
            self.assertNotIn("me:secret", said)


if __name__ == "__main__":
    unittest.main()
