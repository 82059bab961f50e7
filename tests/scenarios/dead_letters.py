#!/usr/bin/python3
"""Dead letters in the local store: a backend fails, letters pile up, and sluice dlq lists, shows, redrives and purges them,
while the host runs and while it does not."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import SLUICE, Process, Scenario, environment, main, wait_for

from servers import kafka, nats, rabbitmq  # support knows the way
from servers.redis import Server


class Receiver:
    """An HTTP receiver that answers as it is told, and keeps what it took with 200."""

    def __init__(self):
        self.status = 200
        self.taken = []
        self.requests = 0
        self.hold = threading.Event()  # answers wait until it is set
        self.hold.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests += 1
                outer.hold.wait(30)
                if outer.status == 200:
                    outer.taken.append(json.loads(body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


def event(number, kind="com.example.order", **more):
    return {"specversion": "1.0", "id": "e%d" % number, "source": "/shop", "type": kind, "time": "2026-03-01T00:00:00Z",
            "data": {"n": number}} | more


CONFIG = """
sluice: 1
admin: {listen: ADMIN}
drain_deadline: 2s
sources:
  door: {class: http, config: {listen: "127.0.0.1:0"}}
backends:
  hook:
    class: webhook
    inputs: [door]
    config: {urls: ["HOOK"]}
    delivery:
      retry: {max_attempts: 2, delay: 5ms, jitter: none}
      breaker: false
      dead_letter: store
  stream:
    class: redis_streams
    inputs: [door]
    when: {types: ["to.redis"]}
    config: {url: "REDIS", stream_name: s, max_len: 0, ttl_seconds: 0}
    delivery:
      retry: {max_age: 200ms}
      breaker: false
      dead_letter: store
"""


class DeadLetters(Scenario):
    def setUp(self):
        super().setUp()
        self.receiver = self.keep(Receiver())
        self.config = self.folder / "settings.yaml"
        self.write("redis://127.0.0.1:1/1")

    def write(self, redis_url):
        text = CONFIG.replace("HOOK", self.receiver.url).replace("REDIS", redis_url).replace("ADMIN", '"127.0.0.1:0"')
        self.config.write_text(text)

    def dlq(self, what, *arguments, code=0):
        ran = self.run_sluice("dlq", what, "--config", self.config, *arguments)
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        return ran.stdout

    def letters(self, *arguments):
        return [json.loads(line) for line in self.dlq("list", *arguments).splitlines()]

    def run_host(self):
        return self.host(self.config, dialect="native")

    def bury(self, host, *events):
        """Each is refused by the receiver, and the caller hears it."""
        self.receiver.status = 500
        for one in events:
            host.post(one)
        self.receiver.status = 200

    def test_letters_are_listed_shown_redriven_and_purged_while_the_host_runs(self):
        host = self.run_host()
        self.bury(host, *(event(n) for n in range(3)), event(3, "com.example.bill", tenant="acme"))
        listed = self.letters()
        self.assertEqual([letter["id"] for letter in listed], ["e0", "e1", "e2", "e3"])
        for letter in listed:
            self.assertEqual((letter["node"], letter["code"], letter["attempts"], letter["redrives"]), ("hook", 500, 2, 0))
        self.assertEqual([letter["id"] for letter in self.letters("--type", "*.bill")], ["e3"])
        self.assertEqual([letter["id"] for letter in self.letters("--when", '{"exact":{"tenant":"acme"}}')], ["e3"])
        self.assertEqual([letter["id"] for letter in self.letters("--reason", "500", "--limit", "2")], ["e0", "e1"])
        self.assertEqual(self.letters("--since", "now"), [])
        self.assertEqual(len(self.letters("--since=-1h", "--until", "now", "--node", "hook")), 4)
        self.assertEqual(self.letters("--node", "stream"), [])

        shown = json.loads(self.dlq("show", listed[3]["number"]))
        self.assertEqual(shown["event"], event(3, "com.example.bill", tenant="acme"))
        self.assertEqual(shown["history"], [])
        self.dlq("show", 99, code=1)

        health = json.loads(host.page("/health")[1])
        self.assertIn("store", [node["name"] for node in health["nodes"]])
        self.assertIn("store", host.page("/stats")[1])
        metrics = lambda: host.page("/metrics")[1]
        wait_for(lambda: 'sluice_dead_letters{node="store"} 4' in metrics(), metrics)
        self.assertIn('sluice_dead_letter_bytes{node="store"}', metrics())
        self.assertIn('sluice_dead_letter_oldest_age_seconds{node="store"}', metrics())

        dry = self.dlq("redrive", "--type", "*.order", "--dry-run")
        self.assertIn("would redrive 3 letters of hook to hook", dry)
        self.assertEqual(len(self.letters()), 4)
        before = len(self.receiver.taken)
        self.assertIn("redriven to hook: 3 delivered", self.dlq("redrive", "--type", "*.order"))
        taken = sorted(self.receiver.taken[before:], key=lambda one: one["id"])  # several requests are under way at a time
        self.assertEqual(taken, [event(n, sluiceredrives="1") for n in range(3)])
        self.assertEqual([letter["id"] for letter in self.letters()], ["e3"])

        self.dlq("purge", code=64)
        self.assertIn("would delete 1 letters", self.dlq("purge", "--all", "--dry-run"))
        self.assertEqual(len(self.letters()), 1)
        self.assertIn("deleted 1 letters", self.dlq("purge", "--all"))
        self.assertEqual(self.letters(), [])
        wait_for(lambda: 'sluice_dead_letters{node="store"} 0' in metrics(), metrics)
        self.assertEqual(host.end(), 0, host.text())

    def test_a_redrive_that_fails_goes_back_with_its_history_and_the_next_one_delivers(self):
        host = self.run_host()
        self.bury(host, event(1))
        self.assertEqual(host.end(), 0, host.text())
        self.receiver.status = 503
        told = self.dlq("redrive", code=1)
        self.assertIn("0 delivered, 1 died again and are back with their history", told)
        letter, = self.letters()
        self.assertEqual((letter["redrives"], letter["code"]), (1, 503))
        self.receiver.status = 400
        self.dlq("redrive", code=1)
        shown = json.loads(self.dlq("show"))
        self.assertEqual((shown["redrives"], shown["code"], shown["attempts"]), (2, 400, 1))
        self.assertEqual([death["code"] for death in shown["history"]], [500, 503])
        self.assertEqual(shown["event"], event(1))
        self.receiver.status = 200
        self.dlq("redrive")
        self.assertEqual(self.receiver.taken, [event(1, sluiceredrives="3")])
        self.assertEqual(self.letters(), [])

    def test_a_killed_redis_fills_the_store_and_the_redrive_empties_it(self):
        redis = self.keep(Server(self.folder)).start()
        self.write(redis.url)
        host = self.run_host()
        self.assertEqual(host.post(event(0, "to.redis"))[0], 202, host.text())
        redis.kill()
        sent = [event(n, "to.redis") for n in range(1, 21)]
        host.post(sent, "application/cloudevents-batch+json")
        wait_for(lambda: len(self.letters("--node", "stream")) == 20, lambda: host.text())
        self.assertEqual(host.end(), 0, host.text())
        redis.start()
        self.assertIn("20 delivered", self.dlq("redrive", "--node", "stream"))
        got = [json.loads(fields[b"event"]) for _, fields in redis.client().xrange("s")]
        self.assertEqual(got, [event(0, "to.redis")] + [one | {"sluiceredrives": "1"} for one in sent])
        self.assertEqual(self.letters(), [])

    def test_letters_go_to_another_backend_when_asked(self):
        redis = self.keep(Server(self.folder)).start()
        self.write(redis.url)
        host = self.run_host()
        self.bury(host, event(1))
        self.assertIn("redriven to stream: 1 delivered", self.dlq("redrive", "--to", "stream"))
        self.assertEqual(json.loads(redis.client().xrange("s")[0][1][b"event"])["id"], "e1")
        self.assertEqual(self.letters(), [])
        self.dlq("redrive", "--to", "nobody", code=64)

    def test_a_killed_redrive_loses_nothing(self):
        host = self.run_host()
        self.bury(host, *(event(n) for n in range(30)))
        self.assertEqual(host.end(), 0, host.text())
        self.receiver.hold.clear()
        asked = self.receiver.requests
        command = [SLUICE, "dlq", "redrive", "--config", self.config]
        killed = subprocess.Popen(list(map(str, command)), cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        wait_for(lambda: self.receiver.requests > asked, "the first letter on its way")
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        self.receiver.hold.set()
        self.assertEqual(len(self.letters()), 30)
        self.dlq("redrive", "--rate", "1000/s")
        self.assertEqual({one["id"] for one in self.receiver.taken}, {"e%d" % n for n in range(30)})
        self.assertEqual(self.letters(), [])

    def test_a_killed_host_keeps_what_it_said_was_dead_lettered(self):
        host = self.run_host()
        self.bury(host, *(event(n) for n in range(10)))
        host.process.kill()
        host.process.wait()
        self.assertEqual([letter["id"] for letter in self.letters()], ["e%d" % n for n in range(10)])


CRASHES = """
sluice: 1
sources:
  in: {class: file, config: {paths: ["FOLDER/in.jsonl"], checkpoint: "FOLDER/in.state", stop_at_end: true}}
backends:
  stream:
    class: redis_streams
    inputs: [in]
    config: {url: "redis://127.0.0.1:1/1", stream_name: s}
    delivery: {retry: {max_age: 20ms}, breaker: false, dead_letter: store}
dead_letters: {path: FOLDER/letters.db}
"""


class Crashes(Scenario):
    KILLS = 8
    EVENTS = 20_000

    def test_a_host_that_is_killed_again_and_again_loses_no_dead_letter(self):
        config = self.folder / "settings.yaml"
        config.write_text(CRASHES.replace("FOLDER", str(self.folder)))
        (self.folder / "in.jsonl").write_text("".join(json.dumps(event(n)) + "\n" for n in range(self.EVENTS)))
        store = self.folder / "letters.db"

        def count():
            if not store.exists():
                return 0
            with sqlite3.connect("file:%s?mode=ro" % store, uri=True) as database:
                try:
                    return database.execute("SELECT letters FROM totals").fetchone()[0]
                except sqlite3.OperationalError:  # its tables are not made yet
                    return 0

        killed = 0
        for kill in range(self.KILLS):
            host = self.keep(Process([SLUICE, "run", config], self.folder, "host-%d" % kill))
            wanted = count() + random.randrange(1, self.EVENTS // self.KILLS)
            wait_for(lambda: count() >= wanted or host.process.poll() is not None, host.text)
            killed += host.process.poll() is None
            host.process.kill()
            host.process.wait()
        ended = self.run_sluice("run", config)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        with sqlite3.connect(store) as database:
            ids = [row[0] for row in database.execute("SELECT id FROM letters")]
        self.assertEqual(set(ids), {"e%d" % n for n in range(self.EVENTS)})
        print("%d kills, %d events, 0 lost, %d duplicated" % (killed, self.EVENTS, len(ids) - self.EVENTS))
        self.assertGreater(killed, 0)


DIALECT = """
events:
  enabled: true
  backend: webhook
  webhook: {urls: ["HOOK"], retry_attempts: 1, retry_delay_seconds: 0.01}
  dlq: {enabled: true, backend: redis_streams, stream_name: "nlp-events-dlq", max_retries: 3, url: "REDIS"}
"""


class DocumentsDlq(Scenario):
    def setUp(self):
        super().setUp()
        self.receiver = self.keep(Receiver())
        self.redis = self.keep(Server(self.folder)).start()
        self.config = self.folder / "settings.yaml"
        self.config.write_text(DIALECT.replace("HOOK", self.receiver.url).replace("REDIS", self.redis.url))

    def dlq(self, what, *arguments, code=0):
        ran = self.run_sluice("dlq", what, "--config", self.config, *arguments)
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        return ran.stdout

    def test_the_stream_of_the_documents_takes_the_letters_and_gives_them_back(self):
        host = self.host(self.config)
        self.receiver.status = 500
        for n in range(5):
            host.post(event(n, "com.example.bill" if n == 4 else "com.example.order"))
        length = lambda: self.redis.client().xlen("nlp-events-dlq")
        wait_for(lambda: length() == 5, host.text)
        listed = [json.loads(line) for line in self.dlq("list").splitlines()]
        self.assertEqual([(one["id"], one["node"], one["code"]) for one in listed], [("e%d" % n, "webhook", 500) for n in range(5)])
        self.assertEqual(length(), 5)

        self.assertIn("0 delivered, 5 died again and are back", self.dlq("redrive", code=1))
        self.assertEqual(length(), 5)
        self.assertEqual({json.loads(line)["redrives"] for line in self.dlq("list").splitlines()}, {1})

        self.receiver.status = 200
        self.assertIn("would redrive 1 letters", self.dlq("redrive", "--type", "*.bill", "--dry-run"))
        self.assertIn("1 delivered", self.dlq("redrive", "--type", "*.bill"))
        self.assertEqual(self.receiver.taken, [event(4, "com.example.bill", sluiceredrives="2")])
        self.assertEqual(length(), 4)
        shown = json.loads(self.dlq("show", "--when", '{"exact":{"id":"e2"}}'))
        self.assertEqual(shown["event"], event(2))
        self.assertIn("deleted 1 letters", self.dlq("purge", "--limit", "1"))
        self.assertEqual(length(), 3)
        self.assertIn("3 delivered", self.dlq("redrive"))
        self.assertEqual(length(), 0)
        self.assertEqual(host.end(), 0, host.text())

ELSEWHERE = """
sluice: 1
drain_deadline: 2s
sources:
  door: {class: http, config: {listen: "127.0.0.1:0"}}
backends:
  hook:
    class: webhook
    inputs: [door]
    config: {urls: ["HOOK"]}
    delivery: {retry: {max_attempts: 1}, breaker: false, dead_letter: parked}
  parked: PARKED
"""


class Elsewhere(Scenario):
    """The same commands where the letters lie in another backend."""

    def letters_in(self, backend, *dlq_arguments, chooses=True):
        """The commands, one after the other. Where a purge cannot choose, what it takes is everything."""
        self.receiver = self.keep(Receiver())
        self.config = self.folder / "settings.yaml"
        self.config.write_text(ELSEWHERE.replace("HOOK", self.receiver.url).replace("PARKED", json.dumps(backend)))

        def dlq(what, *arguments, code=0):
            ran = self.run_sluice("dlq", what, "--config", self.config, *dlq_arguments, *arguments)
            self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
            return ran.stdout + ran.stderr

        def ids():
            return sorted(json.loads(line)["id"] for line in dlq("list").splitlines())

        host = self.host(self.config, dialect="native")
        self.receiver.status = 500
        for n in range(6):
            host.post(event(n, "com.example.bill" if n > 3 else "com.example.order"))
        self.assertEqual(host.end(), 0, host.text())
        self.receiver.status = 200
        self.assertEqual(ids(), ["e%d" % n for n in range(6)])
        self.assertEqual(ids(), ["e%d" % n for n in range(6)])  # looking changes nothing
        shown = [json.loads(line) for line in dlq("show", "--type", "*.bill").splitlines()]
        self.assertEqual(sorted(one["event"]["id"] for one in shown), ["e4", "e5"])
        self.assertEqual({one["node"] for one in shown}, {"hook"})
        self.assertIn("would redrive 2 letters of hook to hook", dlq("redrive", "--type", "*.bill", "--dry-run"))
        self.assertIn("redriven to hook: 2 delivered", dlq("redrive", "--type", "*.bill"))
        self.assertEqual(sorted(one["id"] for one in self.receiver.taken), ["e4", "e5"])
        self.assertEqual(ids(), ["e0", "e1", "e2", "e3"])
        self.receiver.status = 400
        self.assertIn("1 died again", dlq("redrive", "--limit", "1", code=1))
        self.assertEqual(ids(), ["e0", "e1", "e2", "e3"])
        self.receiver.status = 200
        one = ("purge", "--when", '{"exact":{"id":"e3"}}')
        if chooses:
            self.assertIn("would delete 1 letters", dlq(*one, "--dry-run"))
            self.assertEqual(ids(), ["e0", "e1", "e2", "e3"])
            self.assertIn("deleted 1 letters", dlq(*one))
            self.assertEqual(ids(), ["e0", "e1", "e2"])
        else:
            self.assertIn("cannot be chosen for a purge", dlq(*one, code=78))
        self.assertIn("1 delivered", dlq("redrive", "--limit", "1"))
        rest = 2 if chooses else 3
        self.assertIn("would delete %d letters" % (rest if chooses else 7), dlq("purge", "--all", "--dry-run"))
        self.assertEqual(len(ids()), rest)
        self.assertIn("deleted %d letters" % (rest if chooses else 7), dlq("purge", "--all"))
        self.assertEqual(ids(), [])
        self.assertIn("0 delivered", dlq("redrive"))
        host = self.host(self.config, dialect="native", name="again")  # what dies from now on is there as ever
        self.receiver.status = 500
        for n in range(6, 8):
            host.post(event(n))
        self.assertEqual(host.end(), 0, host.text())
        self.receiver.status = 200
        self.assertEqual(ids(), ["e6", "e7"])
        self.assertIn("2 delivered", dlq("redrive"))
        self.assertEqual(ids(), [])

    def test_in_an_event_log(self):
        self.letters_in({"class": "event_log", "config": {"path": str(self.folder / "parked.jsonl")}})

    def test_an_event_log_is_purged_file_by_file_and_never_while_a_host_writes_it(self):
        self.receiver = self.keep(Receiver())
        self.config = self.folder / "settings.yaml"
        log = self.folder / "parked.jsonl"
        parked = {"class": "event_log", "config": {"path": str(log), "rotate_bytes": 1000}}
        self.config.write_text(ELSEWHERE.replace("HOOK", self.receiver.url).replace("PARKED", json.dumps(parked)))
        host = self.host(self.config, dialect="native")
        self.receiver.status = 500
        for n in range(9):
            host.post(event(n))
        dlq = lambda *arguments: self.run_sluice("dlq", *arguments, "--config", self.config)
        ids = lambda: sorted(json.loads(line)["id"] for line in dlq("list").stdout.splitlines())
        wait_for(lambda: len(ids()) == 9, ids)
        refused = dlq("purge", "--all")
        self.assertEqual(refused.returncode, 78, refused.stdout)
        self.assertIn("a host is writing", refused.stderr)
        self.assertEqual(host.end(), 0, host.text())
        lines = lambda: sorted(line for file in self.folder.glob("parked.jsonl*") for line in file.read_text().splitlines())
        before = lines()
        self.assertGreater(len(list(self.folder.glob("parked.jsonl.2*"))), 1)
        self.assertIn("deleted 2 letters", dlq("purge", "--when", '{"any":[{"exact":{"id":"e0"}},{"exact":{"id":"e8"}}]}').stdout)
        self.assertEqual(lines(), [line for line in before if '"id":"e0"' not in line and '"id":"e8"' not in line])
        oldest = sorted(self.folder.glob("parked.jsonl.2*"))[0]
        oldest.write_text(oldest.read_text() + "no event\n")
        refused = dlq("purge", "--until", "now")
        self.assertIn("lines that are no events", refused.stderr)
        self.assertEqual(len(ids()), 7)
        oldest.write_text(oldest.read_text().replace("no event\n", ""))
        self.assertIn("deleted 3 letters", dlq("purge", "--limit", "3").stdout)
        self.assertIn("deleted 4 letters", dlq("purge", "--all").stdout)
        self.assertEqual(lines(), [])

    def test_in_a_jetstream_stream(self):
        server = self.keep(nats.Server(self.folder)).start()
        self.letters_in({"class": "nats", "config": {"servers": [server.url], "stream": "PARKED", "subject": "parked"}})

    @unittest.skipUnless(kafka.available(), "the real Kafka is skipped: tests/kafka/install did not get it")
    def test_in_a_kafka_topic(self):
        broker = kafka.Server(self.folder)
        self.addCleanup(broker.stop)
        broker.start().create_topic("parked", 2)
        self.letters_in({"class": "kafka", "config": {"bootstrap_servers": [broker.url], "topic": "parked"}}, chooses=False)

    def test_in_a_rabbitmq_queue(self):
        server = rabbitmq.Server(self.folder)
        self.addCleanup(server.stop)
        channel = server.start().connection().channel()
        channel.exchange_declare("dead", "fanout", durable=True)
        channel.queue_declare("graveyard", durable=True)
        channel.queue_bind("graveyard", "dead", "")
        parked = {"class": "rabbitmq", "config": {"url": server.url, "exchange": "dead", "exchange_type": "fanout"}}
        self.letters_in(parked, "--queue", "graveyard")
        told = self.run_sluice("dlq", "list", "--config", self.config)
        self.assertIn("name the queue that keeps them with --queue", told.stderr)
        self.assertEqual(channel.queue_declare("graveyard", passive=True).method.message_count, 0)

    def shows_how_many_and_how_old(self, parked):
        self.receiver = self.keep(Receiver())
        self.config = self.folder / "settings.yaml"
        self.config.write_text(ELSEWHERE.replace("HOOK", self.receiver.url).replace("PARKED", json.dumps(parked)).replace(
            "sluice: 1", 'sluice: 1\nadmin: {listen: "127.0.0.1:0"}'))
        host = self.host(self.config, dialect="native")
        self.receiver.status = 500
        for n in range(3):
            host.post(event(n))
        metrics = lambda: host.page("/metrics")[1]
        wait_for(lambda: 'sluice_dead_letters{node="parked"} 3' in metrics(), metrics)
        oldest = lambda: [float(line.split()[-1]) for line in metrics().splitlines()
                          if line.startswith('sluice_dead_letter_oldest_age_seconds{node="parked"}')]
        wait_for(lambda: oldest() and oldest()[0] > 0, metrics)
        self.assertIn('sluice_source_processing_seconds_count{node="door"} 3', metrics())
        self.assertLess(oldest()[0], 600, metrics())
        self.assertEqual(host.end(), 0, host.text())

    def test_a_redis_stream_of_letters_shows_how_many_and_how_old(self):
        redis = self.keep(Server(self.folder)).start()
        self.shows_how_many_and_how_old({"class": "redis_streams", "config": {
            "url": redis.url, "stream_name": "parked", "max_len": 0, "ttl_seconds": 0}})

    def test_an_event_log_of_letters_shows_how_many_and_how_old(self):
        self.shows_how_many_and_how_old({"class": "event_log", "config": {"path": str(self.folder / "parked.jsonl")}})

    def test_a_jetstream_stream_of_letters_shows_how_many_and_how_old(self):
        server = self.keep(nats.Server(self.folder)).start()
        self.shows_how_many_and_how_old({"class": "nats", "config": {
            "servers": [server.url], "stream": "PARKED", "subject": "parked"}})

    @unittest.skipUnless(kafka.available(), "the real Kafka is skipped: tests/kafka/install did not get it")
    def test_a_kafka_topic_of_letters_shows_how_many_and_how_old(self):
        broker = kafka.Server(self.folder)
        self.addCleanup(broker.stop)
        broker.start().create_topic("parked", 2)
        self.shows_how_many_and_how_old({"class": "kafka", "config": {"bootstrap_servers": [broker.url], "topic": "parked"}})

    def test_a_rabbitmq_queue_of_letters_shows_how_many_and_since_when(self):
        server = rabbitmq.Server(self.folder)
        self.addCleanup(server.stop)
        server.start().connection().channel().queue_declare("parked", durable=True)
        self.shows_how_many_and_how_old({"class": "rabbitmq", "config": {
            "url": server.url, "exchange": "", "routing_key": "parked"}})


if __name__ == "__main__":
    main()
