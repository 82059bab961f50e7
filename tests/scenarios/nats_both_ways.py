#!/usr/bin/python3
"""NATS, both ways, against a real server: nats-py reads what the host publishes, and the host reads what nats-py
publishes; the binding's vectors; a server that is killed while events flow; TLS and a password.

nats-py is put into build/clients by tests/clients/install; without it the parts that need it are skipped."""

import asyncio
import base64
import json
import sys
import unittest

from support import BUILD, ROOT, Scenario, main, wait_for, whole_lines

from servers.nats import Server

sys.path.append(str(BUILD / "clients" / "python"))
try:
    import nats
    MISSING = None
except ImportError as error:
    MISSING = "nats-py is not there (tests/clients/install): %s" % error

VECTORS = ROOT / "tests" / "vectors" / "mq_bindings.jsonl"
SUBJECT = "nlp.document.processed"


def event(number, **more):
    return {"specversion": "1.0", "id": "e-%d" % number, "source": "/scenario", "type": "com.example.made",
            "data": {"document_id": "doc-%d" % number, "text": "Größe €"}, **more}


def text(*arguments, **more):
    return json.dumps(event(*arguments, **more), ensure_ascii=False)


class Nats(Scenario):
    def server(self, **more):
        started = Server(self.folder, **more).start()
        self.addCleanup(started.end)
        return started

    def config(self, sources, backends, name="sluice"):
        file = self.folder / (name + ".yaml")
        file.write_text(json.dumps({"sluice": 1, "sources": sources, "backends": backends}))
        return file

    def publish(self, server, lines, **config):
        """What `sluice run` says after it has sent the lines."""
        file = self.config({"in": {"class": "stdin"}},
                           {"out": {"class": "nats", "inputs": ["in"], "config": {"servers": [server.url], **config}}}, "publish")
        ran = self.run_sluice("run", file, stdin="\n".join(lines) + "\n")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        return ran.stdout + ran.stderr

    def reader(self, server, source="nats", name="read", **config):
        """A host that writes what it reads into self.folder / (name + ".jsonl")."""
        file = self.config({"in": {"class": source, "config": {"servers": [server.url], **config}}},
                           {"log": {"class": "event_log", "inputs": ["in"],
                                    "config": {"path": str(self.folder / (name + ".jsonl"))}}}, name)
        return self.host(file, dialect="native", door=False, name=name)

    def logged(self, name="read"):
        return whole_lines(self.folder / (name + ".jsonl"))

    @unittest.skipIf(MISSING, MISSING)
    def test_a_python_consumer_reads_what_the_host_publishes(self):
        server = self.server()
        lines = [text(number) for number in range(500)]
        self.publish(server, lines)
        self.publish(server, [text(1000, subject="Euro €", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")],
                     mode="binary", subject="nlp.document.binary",
                     stream="BINARY")

        async def read():
            client = await nats.connect(server.url)
            stream = client.jetstream()
            consumer = await stream.pull_subscribe(SUBJECT, "worker")
            got = []
            while len(got) < len(lines):
                for message in await consumer.fetch(100, timeout=30):
                    got.append(message.data.decode())
                    await message.ack()
            binary = (await (await stream.pull_subscribe("nlp.document.binary", "worker")).fetch(1, timeout=30))[0]
            await client.close()
            return got, binary.headers, binary.data

        got, headers, data = asyncio.run(read())
        self.assertEqual(got, lines)
        self.assertEqual(json.loads(data), event(0)["data"] | {"document_id": "doc-1000"})
        self.assertEqual(headers["ce-subject"], "Euro%20%E2%82%AC")
        self.assertEqual(headers["ce-datacontenttype"], "application/json")
        self.assertEqual(headers["ce-traceparent"], "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
        self.assertEqual(headers["Nats-Msg-Id"], "/scenario e-1000")

    @unittest.skipIf(MISSING, MISSING)
    def test_the_host_reads_what_a_python_producer_publishes(self):
        server = self.server()
        lines = [text(number) for number in range(500)]

        async def write():
            client = await nats.connect(server.url)
            stream = client.jetstream()
            await stream.add_stream(name="NLP_EVENTS", subjects=["nlp.>"])
            for line in lines:
                await stream.publish(SUBJECT, line.encode())
            await stream.publish(SUBJECT, b"<a/>", headers={
                "ce-specversion": "1.0", "ce-id": "b-1", "ce-source": "/py", "ce-type": "t", "ce-subject": "Euro%20%E2%82%AC",
                "ce-datacontenttype": "text/xml"})
            await client.close()

        asyncio.run(write())
        host = self.reader(server)
        wait_for(lambda: len(self.logged()) == 501, lambda: "501 events:\n" + host.text())
        self.assertEqual(self.logged()[:500], lines)
        binary = json.loads(self.logged()[500])
        self.assertEqual((binary["id"], binary["subject"], binary["data"]), ("b-1", "Euro €", "<a/>"))
        state = lambda: server.ask("$JS.API.CONSUMER.INFO.NLP_EVENTS.nlp-processor")  # noqa: E731
        wait_for(lambda: state()["num_ack_pending"] == 0, "everything to be acknowledged")
        self.assertEqual(state()["ack_floor"]["stream_seq"], 501)
        self.assertIn('sluice_source_lag_events{node="in"} 0', host.page("/metrics")[1])
        self.assertEqual(host.end(), 0, host.text())

    @unittest.skipIf(MISSING, MISSING)
    def test_vectors_of_the_binding(self):
        server = self.server()
        rows = [json.loads(line) for line in VECTORS.read_text().splitlines() if line]
        rows = [row for row in rows if row["binding"] == "nats" and row["level"] == "must"]
        self.assertGreaterEqual(len(rows), 3)

        async def write():
            client = await nats.connect(server.url)
            stream = client.jetstream()
            for number, row in enumerate(rows):
                await stream.add_stream(name="V%d" % number, subjects=["v%d" % number])
                await stream.publish("v%d" % number, base64.b64decode(row["message"]["body_base64"]),
                                     headers=dict(row["message"]["headers"]) or None)
            await client.close()

        asyncio.run(write())
        for number, row in enumerate(rows):
            with self.subTest(row["name"]):
                name = "V%d" % number
                host = self.reader(server, name=name, stream=name)
                if row["expect"]["accept"]:
                    wait_for(lambda: self.logged(name), lambda: "the event:\n" + host.text())
                    got = json.loads(self.logged(name)[0])
                    for attribute, value in row["expect"]["attributes"].items():
                        self.assertEqual(got[attribute], value)
                    self.assertEqual(got.get("data_base64"), row["expect"]["data"]["base64"])
                else:
                    host.wait_for_line("Record is not a valid event", '"code":"%s"' % row["expect"]["code"])
                    self.assertEqual(self.logged(name), [])
                state = "$JS.API.CONSUMER.INFO.%s.nlp-processor" % name
                wait_for(lambda: server.ask(state)["num_ack_pending"] == 0, "the message to be settled")
                host.end()

    def test_core_subscribers_get_what_is_published_while_they_listen(self):
        server = self.server(jetstream=False)
        host = self.reader(server, "nats_core", subject="nlp.>")
        host.wait_for_line("listening to")
        lines = [text(number) for number in range(1000)]
        self.publish(server, lines, jetstream=False)
        wait_for(lambda: len(self.logged()) == len(lines), lambda: "all of them:\n" + host.text())
        self.assertEqual(self.logged(), lines)

    def test_from_stream_to_stream_over_tls_with_a_password(self):
        server = self.server(tls=True, auth=True)
        tls = {"ca_file": str(server.certificates.authority)}
        lines = [text(number) for number in range(300)]
        self.publish(server, lines, tls=tls)
        host = self.reader(server, tls=tls)
        wait_for(lambda: len(self.logged()) == len(lines), lambda: "all of them:\n" + host.text())
        self.assertEqual(self.logged(), lines)
        self.assertNotIn(server.password, host.text())

    def test_a_server_that_is_killed_while_events_flow_loses_nothing(self):
        server = self.server()
        count = 20000
        source = self.folder / "in.jsonl"
        source.write_text("".join(text(number) + "\n" for number in range(count)))
        file = self.config(
            {"in": {"class": "file", "config": {"paths": [str(source)], "from": "beginning", "stop_at_end": True}}},
            {"out": {"class": "nats", "inputs": ["in"], "delivery": {"rate_limit": "10000/s"},
                     "config": {"servers": [server.url], "timeout": "2s"}}}, "flow")
        reader = self.reader(server, ack_wait="1s")
        host = self.host(file, dialect="native", door=False, name="flow")
        for share in (0.2, 0.5):
            wait_for(lambda: len(self.logged()) > share * count, lambda: "events to flow:\n" + host.text() + reader.text())
            server.restart()
        self.assertEqual(host.wait(), 0, host.text())
        ids = lambda: {json.loads(line)["id"] for line in self.logged()}  # noqa: E731
        wait_for(lambda: len(self.logged()) >= count and len(ids()) == count,
                 lambda: "%d of %d:\n%s\n%s" % (len(ids()), count, host.text(), reader.text()))
        self.assertEqual(server.length("NLP_EVENTS"), count)  # offered again, and dropped as duplicates by the server

    def test_a_server_that_is_not_there_yet_is_waited_for(self):
        server = Server(self.folder)
        self.addCleanup(server.end)
        reader = self.reader(server)
        file = self.config({"in": {"class": "stdin"}}, {"out": {"class": "nats", "inputs": ["in"],
                                                                 "config": {"servers": [server.url]}}}, "early")
        reader.wait_for_line("away")
        server.start()
        ran = self.run_sluice("run", file, stdin=text(1) + "\n")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        wait_for(lambda: len(self.logged()) == 1, lambda: "the event:\n" + reader.text())


if __name__ == "__main__":
    main()
