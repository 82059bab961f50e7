#!/usr/bin/python3
"""sluice replay: past events out of an event log, rotated and compressed files too, through the lane of one backend."""

import gzip
import json
import subprocess
import unittest

from support import SLUICE, Scenario, environment, main, wait_for

from servers import kafka, nats  # support knows the way
from servers.redis import Server

CONFIG = """
sluice: 1
sources:
  in: {class: stdin}
backends:
  log: {class: event_log, inputs: [in], config: {path: FOLDER/events.jsonl, rotate_bytes: 64KiB}}
  stream:
    class: redis_streams
    inputs: [in]
    config: {url: "REDIS", stream_name: s, max_len: 0, ttl_seconds: 0}
    delivery: {dead_letter: store}
"""


def event(number, kind="t.a"):
    return {"specversion": "1.0", "id": "e%05d" % number, "source": "/s", "type": kind,
            "time": "2026-03-01T%02d:%02d:00Z" % (number // 60 % 24, number % 60), "data": {"n": number, "fill": "x" * 100}}


class Replay(Scenario):
    def setUp(self):
        super().setUp()
        self.redis = self.keep(Server(self.folder)).start()
        self.config = self.folder / "settings.yaml"
        self.config.write_text(CONFIG.replace("FOLDER", str(self.folder)).replace("REDIS", self.redis.url))

    def fill_log(self, count):
        """The events in a log of the host's own making: rotated, the oldest file compressed, as logrotate would do."""
        text = "".join(json.dumps(event(n, "t.b" if n % 2 else "t.a")) + "\n" for n in range(count))
        ran = self.run_sluice("run", self.config, stdin=text)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.redis.client().flushall()
        rotated = sorted(self.folder.glob("events.jsonl.2*"))
        if rotated:
            with gzip.open(str(rotated[0]) + ".gz", "wb") as packed:
                packed.write(rotated[0].read_bytes())
            rotated[0].unlink()
        return rotated

    def arrived(self):
        return [json.loads(fields[b"event"])["id"] for _, fields in self.redis.client().xrange("s")]

    def replay(self, *arguments, code=0):
        ran = self.run_sluice("replay", "--config", self.config, "--into", "stream", *arguments)
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        return ran.stdout

    def test_a_rotated_and_compressed_log_comes_whole_and_in_order(self):
        rotated = self.fill_log(2000)
        self.assertGreater(len(rotated), 2)
        self.assertIn("2000 delivered, 0 filtered out", self.replay())
        self.assertEqual(self.arrived(), ["e%05d" % n for n in range(2000)])

    def test_time_type_and_filter_choose_and_a_dry_run_only_counts(self):
        self.fill_log(240)
        span = ("--from", "2026-03-01T01:00:00Z", "--to", "2026-03-01T02:00:00Z")
        dry = self.replay(*span, "--type", "*.b", "--dry-run")
        self.assertIn("would replay 30 of 240 events into stream", dry)
        self.assertIn("30  t.b", dry)
        self.assertEqual(self.arrived(), [])
        self.replay(*span, "--type", "*.b", "--when", '{"not":{"exact":{"id":"e00061"}}}')
        self.assertEqual(self.arrived(), ["e%05d" % n for n in range(63, 120, 2)])

    def test_a_killed_replay_goes_on_where_it_was_and_loses_nothing(self):
        self.fill_log(3000)
        command = [SLUICE, "replay", "--config", self.config, "--into", "stream", "--state", self.folder / "state", "--rate", "1500/s"]
        killed = subprocess.Popen(list(map(str, command)), cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        length = lambda: self.redis.client().xlen("s")
        wait_for(lambda: (self.folder / "state").exists() and length() > 1000, "a part of it")
        killed.kill()
        killed.wait()
        before = length()
        self.assertLess(before, 3000)
        self.replay("--state", self.folder / "state")
        ids = self.arrived()
        self.assertEqual(set(ids), {"e%05d" % n for n in range(3000)})
        self.assertLess(len(ids), 3000 + before)  # it did not begin again
        self.assertIn(" 0 delivered", self.replay("--state", self.folder / "state"))

    def test_a_stream_is_replayed_without_a_group_and_a_killed_replay_goes_on(self):
        pipe = self.redis.client().pipeline()
        for n in range(3000):
            pipe.xadd("old", {"event": json.dumps(event(n))})
        pipe.execute()
        source = ("--source", self.redis.url + "#old", "--state", self.folder / "state")
        command = [SLUICE, "replay", "--config", self.config, "--into", "stream", *source, "--rate", "1500/s"]
        killed = subprocess.Popen(list(map(str, command)), cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        length = lambda: self.redis.client().xlen("s")
        wait_for(lambda: (self.folder / "state").exists() and length() > 1000, "a part of it")
        killed.kill()
        killed.wait()
        before = length()
        self.assertLess(before, 3000)
        self.replay(*source)
        ids = self.arrived()
        self.assertEqual(set(ids), {"e%05d" % n for n in range(3000)})
        self.assertLess(len(ids), 3000 + before)
        self.assertEqual(self.redis.client().xinfo_groups("old"), [])
        self.assertIn(" 0 delivered", self.replay(*source))
        self.assertIn("3000 delivered", self.replay("--source", "stream", "--type", "t.*", "--set",
                                                    "backends.stream.config.stream_name=old"))

    def fill(self, klass, **config):
        file = self.folder / "fill.yaml"
        file.write_text(json.dumps({"sluice": 1, "sources": {"in": {"class": "stdin"}},
                                    "backends": {"out": {"class": klass, "inputs": ["in"], "config": config}}}))
        ran = self.run_sluice("run", file, stdin="".join(json.dumps(event(n, "t.b" if n % 2 else "t.a")) + "\n" for n in range(3000)))
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        return file

    def killed_and_called_again(self, url):
        """A replay with --state is killed in the middle; the next call does the rest, and the one after it nothing."""
        source = ("--source", url, "--state", self.folder / "state")
        command = [SLUICE, "replay", "--config", self.config, "--into", "stream", *source, "--rate", "1000/s"]
        killed = subprocess.Popen(list(map(str, command)), cwd=self.folder, env=environment(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        length = lambda: self.redis.client().xlen("s")
        wait_for(lambda: length() > 1500, "a part of it")
        killed.kill()
        killed.wait()
        before = length()
        self.assertLess(before, 3000)
        self.replay(*source)
        ids = self.arrived()
        self.assertEqual(set(ids), {"e%05d" % n for n in range(3000)})
        self.assertLess(len(ids), 3000 + before)  # it did not begin again
        self.assertIn(" 0 delivered", self.replay(*source))

    def test_a_jetstream_stream_is_replayed_beside_its_consumers_and_a_killed_replay_goes_on(self):
        server = self.keep(nats.Server(self.folder)).start()
        config = {"servers": [server.url], "stream": "OLD", "subject": "old"}
        self.fill("nats", **config)
        url = server.url + "#OLD"
        self.assertIn("3000 delivered, 0 filtered out", self.replay("--source", url))
        self.assertEqual(self.arrived(), ["e%05d" % n for n in range(3000)])
        self.assertIn("would replay 1500 of 3000", self.replay("--source", url, "--type", "*.b", "--dry-run"))
        self.redis.client().flushall()
        self.killed_and_called_again(url)
        names = server.ask("$JS.API.CONSUMER.NAMES.OLD")["consumers"]
        self.assertTrue(all(name.startswith("sluice-replay-") for name in names), names)

    def test_a_stream_that_is_written_into_itself_ends_with_what_it_held_at_the_start(self):
        server = self.keep(nats.Server(self.folder)).start()
        both = self.fill("nats", servers=[server.url], stream="OLD", subject="old", message_id="")
        ran = self.run_sluice("replay", "--config", both, "--into", "out", "--source", "out")
        self.assertIn("3000 delivered, 0 filtered out", ran.stdout, ran.stderr)
        self.assertEqual(server.length("OLD"), 6000)

    @unittest.skipUnless(kafka.available(), "the real Kafka is skipped: tests/kafka/install did not get it")
    def test_a_kafka_topic_is_replayed_beside_its_groups_and_a_killed_replay_goes_on(self):
        broker = kafka.Server(self.folder)
        self.addCleanup(broker.stop)
        broker.start().create_topic("old", 3)
        self.fill("kafka", bootstrap_servers=[broker.url], topic="old")
        url = "kafka://" + broker.url + "#old"
        self.assertIn("3000 delivered, 0 filtered out", self.replay("--source", url))
        self.assertEqual(sorted(self.arrived()), ["e%05d" % n for n in range(3000)])
        self.redis.client().flushall()
        self.killed_and_called_again(url)

    @unittest.skipUnless(kafka.available(), "the real Kafka is skipped: tests/kafka/install did not get it")
    def test_a_kafka_topic_that_is_written_into_itself_ends_with_what_it_held_at_the_start(self):
        broker = kafka.Server(self.folder)
        self.addCleanup(broker.stop)
        broker.start().create_topic("old", 3)
        both = self.fill("kafka", bootstrap_servers=[broker.url], topic="old")
        ran = self.run_sluice("replay", "--config", both, "--into", "out", "--source", "out")
        self.assertIn("3000 delivered, 0 filtered out", ran.stdout, ran.stderr)
        self.assertIn("6000 delivered, 0 filtered out", self.replay("--source", "kafka://" + broker.url + "#old"))

    def test_what_cannot_be_is_said_with_its_cure(self):
        self.assertEqual(self.run_sluice("replay", "--config", self.config, "--into", "nobody").returncode, 64)
        wrong = self.run_sluice("replay", "--config", self.config, "--into", "stream", "--from", "yesterday")
        self.assertEqual(wrong.returncode, 64)
        self.assertIn("--from: expected a time such as 2026-03-01T08:00:00Z", wrong.stderr)
        missing = self.run_sluice("replay", "--config", self.config, "--into", "stream")
        self.assertEqual(missing.returncode, 78)
        self.assertIn("the event log of log is not there", missing.stderr)


if __name__ == "__main__":
    main()
