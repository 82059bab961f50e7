"""The documents' way in: redis-py publishes, a consumer group reads, and the group's own commands show what is left."""

import json
import sys
import unittest

import support
from support import wait_for

from servers.redis import Server

STREAM, GROUP = "stage1:cleaning:events", "stage2-nlp-processor"


def event(number, **more):
    return json.dumps({"specversion": "1.0", "id": "e-%d" % number, "source": "stage1-cleaning-pipeline",
                       "type": "com.storytelling.cleaning.document.cleaned", "data": {"document_id": "d-%d" % number}} | more)


class RedisSource(support.Scenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self.folder, auth=True).start()
        self.addCleanup(self.server.stop)
        self.redis_py = self.server.client()

    def publish(self, first, count):
        with self.redis_py.pipeline(transaction=False) as pipe:
            for number in range(first, first + count):
                pipe.xadd(STREAM, {"event": event(number)})
            pipe.execute()

    def config(self, name="sluice.yaml", output="out.jsonl", **more):
        settings = {"url": self.server.url, "source_stream": STREAM, "consumer_group": GROUP, "consumer_name": "worker-1",
                    "poll_interval_ms": 100} | more
        path = self.folder / name
        path.write_text(json.dumps({
            "sluice": 1, "admin": {"listen": "127.0.0.1:0"},
            "sources": {"in": {"class": "redis_streams", "config": settings}},
            "backends": {"log": {"class": "event_log", "inputs": ["in"],
                                 "config": {"path": str(self.folder / output), "fsync": "every_batch"}}}}))
        return path

    def ids(self, output="out.jsonl"):
        path = self.folder / output
        return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []

    def group(self):
        return self.redis_py.xinfo_groups(STREAM)[0]

    def pending(self):
        return self.redis_py.xpending(STREAM, GROUP)["pending"]

    def run_host(self, path, name="sluice"):
        return self.host(str(path), dialect="native", door=False, name=name)

    def wait_until_settled(self, count, output="out.jsonl"):
        wait_for(lambda: len(set(self.ids(output))) >= count, lambda: "%d events, of %d" % (len(self.ids(output)), count))
        wait_for(lambda: self.pending() == 0, lambda: "no pending entries: %r" % self.redis_py.xpending(STREAM, GROUP))

    def test_what_redis_py_publishes_arrives_once_in_order_and_nothing_stays_pending(self):
        self.publish(0, 1000)
        host = self.run_host(self.config())
        self.wait_until_settled(1000)
        self.publish(1000, 500)
        self.wait_until_settled(1500)
        self.assertEqual(self.ids(), ["e-%d" % number for number in range(1500)])
        self.assertEqual(self.group()["pending"], 0)
        self.assertEqual(self.group()["last-delivered-id"], self.redis_py.xinfo_stream(STREAM)["last-generated-id"])
        self.assertEqual(self.server.cli("XPENDING", STREAM, GROUP).split()[0], "0")
        metrics = wait_for(lambda: (lambda text: text if 'sluice_source_lag_events{node="in"} 0' in text else None)(
            host.page("/metrics")[1]), "the lag to be shown")
        self.assertIn('sluice_source_pending_events{node="in"}', metrics)
        self.assertEqual(host.end(), 0)


if __name__ == "__main__":
    support.main()
