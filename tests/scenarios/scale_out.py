#!/usr/bin/python3
"""Three hosts in one group on each broker share the work; one is killed, the others take over its share, nothing is lost."""

import json
import unittest

from support import ROOT, Host, Recorder, Scenario, main, wait_for

from servers import kafka, nats, rabbitmq, redis  # support knows the way

EVENTS = 1500
RATE = "100/s"     # of each host: the work lasts until the others are there, and is not over when one is killed
SHARE = 20         # what each of them must have done before
TAKE_OVER_S = 120  # a bound, not what it takes
NAMES = ("one", "two", "three")


def event(number):
    return {"specversion": "1.0", "id": "e%05d" % number, "source": "/s", "type": "t.work", "subject": "s%d" % number,
            "data": {"n": number}}


class ScaleOut(Scenario):
    def config(self, name, **parts):
        file = self.folder / (name + ".yaml")
        file.write_text(json.dumps({"sluice": 1, "batch": {"max_events": 64}} | parts))
        return file

    def publish(self, klass, **config):
        file = self.config("publish", sources={"in": {"class": "stdin"}},
                           backends={"out": {"class": klass, "inputs": ["in"], "config": config}})
        ran = self.run_sluice("run", file, stdin="".join(json.dumps(event(n)) + "\n" for n in range(EVENTS)))
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def worker(self, name, klass, config):
        log = {"class": "event_log", "inputs": ["work"],
               "config": {"path": str(self.folder / (name + ".jsonl")), "fsync": "every_batch"},
               "delivery": {"rate_limit": RATE, "max_batch": 8, "queue": {"max_events": 64}}}
        file = self.config(name, sources={"work": {"class": klass, "config": config}}, backends={"log": log})
        return self.keep(Host(self.folder, file, dialect="native", door=False, name=name))

    def done(self, name):
        file = self.folder / (name + ".jsonl")
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []  # what follows the last line end is torn
        return [json.loads(line)["id"] for line in lines]

    def share_and_take_over(self, klass, config_of):
        hosts = {name: self.worker(name, klass, config_of(name)) for name in NAMES}
        texts = lambda: "\n".join("%s has %d:\n%s" % (name, len(self.done(name)), hosts[name].text()) for name in NAMES)
        wait_for(lambda: all(len(self.done(name)) >= SHARE for name in NAMES), lambda: "each to have a share\n" + texts(),
                 TAKE_OVER_S)
        hosts["one"].process.kill()
        hosts["one"].process.wait()
        at_the_kill = set().union(*(self.done(name) for name in NAMES))
        self.assertLess(len(at_the_kill), EVENTS)
        everything = {"e%05d" % n for n in range(EVENTS)}
        wait_for(lambda: set().union(*(self.done(name) for name in NAMES)) == everything,
                 lambda: "the others to do the rest\n" + texts(), TAKE_OVER_S)
        for name in ("two", "three"):
            self.assertEqual(hosts[name].end(), 0, hosts[name].text())

    def test_redis_streams(self):
        server = self.keep(redis.Server(self.folder)).start()
        self.publish("redis_streams", url=server.url, stream_name="work", max_len=0, ttl_seconds=0)
        self.share_and_take_over("redis_streams", lambda name: {
            "url": server.url, "source_stream": "work", "consumer_group": "g", "consumer_name": name, "batch_size": 64,
            "max_in_flight": 128, "poll_interval_ms": 100, "claim_idle_ms": 2000})
        self.assertEqual(server.client().xpending("work", "g")["pending"], 0)

    def test_jetstream(self):
        server = self.keep(nats.Server(self.folder)).start()
        self.publish("nats", servers=[server.url], stream="WORK", subject="work")
        self.share_and_take_over("nats", lambda name: {
            "servers": [server.url], "stream": "WORK", "durable_name": "g", "batch_size": 64, "ack_wait": "2s"})
        self.assertEqual(server.ask("$JS.API.CONSUMER.INFO.WORK.g")["num_ack_pending"], 0)

    def test_rabbitmq(self):
        server = rabbitmq.Server(self.folder).start()
        self.addCleanup(server.stop)
        queue = {"url": server.url, "exchange": "work", "queue": "work", "bindings": ["#"], "prefetch_count": 64}
        made = self.worker("maker", "rabbitmq", queue)  # the queue must be there before anything is published
        wait_for(lambda: "work" in server.ctl("list_bindings", "destination_name"), "the queue to be bound")
        self.assertEqual(made.end(), 0, made.text())
        self.publish("rabbitmq", url=server.url, exchange="work")
        self.share_and_take_over("rabbitmq", lambda name: queue)

    @unittest.skipUnless(kafka.available(), "the real Kafka is skipped: tests/kafka/install did not get it")
    def test_kafka(self):
        broker = kafka.Server(self.folder)
        self.addCleanup(broker.stop)
        broker.start().create_topic("work", 6)
        self.publish("kafka", bootstrap_servers=[broker.url], topic="work")
        self.share_and_take_over("kafka", lambda name: {
            "bootstrap_servers": [broker.url], "topics": "work", "group_id": "g", "session_timeout": "3s",
            "prefetch": 64})

    def test_the_example_hands_a_stream_to_a_handler_and_leaves_nothing_pending(self):
        server = self.keep(redis.Server(self.folder)).start()
        self.publish("redis_streams", url=server.url, stream_name="nlp-events", max_len=0, ttl_seconds=0)
        handler = self.keep(Recorder())
        for name in NAMES[:2]:
            self.keep(Host(self.folder, ROOT / "config/examples/scale_out.yaml", dialect="native", door=False, name=name,
                           env={"REDIS_EVENTS_URL": server.url, "CONSUMER_NAME": name, "HANDLER_URL": handler.url}))
        taken = lambda: {json.loads(body)["id"] for _, _, body in list(handler.requests)}
        wait_for(lambda: len(taken()) == EVENTS, lambda: "all of it, not %d" % len(taken()), TAKE_OVER_S)
        wait_for(lambda: server.client().xpending("nlp-events", "workers")["pending"] == 0, "all to be acknowledged")


if __name__ == "__main__":
    main()
