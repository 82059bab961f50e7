"""The Redis server goes and comes back under load: the host waits, says so, and loses nothing.

The server keeps what it has answered (appendonly, flushed on every write), so that "nothing lost" is its word as well."""
import json
import signal
import unittest

import fault
from fault import wait_for

EVENTS = 60_000
RATE = 20_000
WINDOW = 512
TRIES = 3


class RedisRestartTest(fault.Fault):
    def start_under_load(self):
        self.redis = self.keep(fault.Redis(self.folder, durable=True))
        self.sent = self.events(EVENTS)
        stream = {"url": self.redis.url, "stream_name": "ev", "max_len": 0, "ttl_seconds": 0, "window": WINDOW}
        config = self.graph({"in": fault.file_source(self.sent, checkpoint=self.path("checkpoint"))},
                            {"out": {"class": "redis_streams", "inputs": ["in"], "config": stream,
                                     "delivery": {"rate_limit": f"{RATE}/s", "retry": {"max_attempts": 1}}}})
        return self.start(config)

    def published(self, host, least):
        wait_for(lambda: host.backend()["events_published"] >= least,
                 lambda: f"{least} events published: {json.dumps(host.backend())}\n{host.text()}")

    def restart_under_load(self, sign):
        """Stops the server TRIES times in the middle of the flow and starts it again on its port."""
        host = self.start_under_load()
        for number in range(TRIES):
            self.published(host, (number + 1) * EVENTS // (TRIES + 2))
            self.redis.end(sign)
            status, nodes = wait_for(lambda: (lambda page: page[1]["out"]["down"] and page)(host.health()),
                                     lambda: "the backend to be away:\n" + host.text())
            self.assertEqual(status, 503)
            self.assertEqual((nodes["out"]["state"], nodes["out"]["breaker"]), ("away", "closed"), nodes["out"])
            self.assertTrue(nodes["out"]["last_error"]["text"])
            self.assertEqual(host.page("/ready")[0], 503)
            self.redis = self.keep(fault.Redis(self.folder, port=self.redis.port, durable=True))
            wait_for(lambda: host.health()[0] == 200, lambda: "the backend to be back:\n" + host.text())
        self.published(host, EVENTS)
        stats = host.backend()
        self.assertEqual((stats["events_published"], stats["events_failed"], stats["dead_lettered"]), (EVENTS, 0, 0))
        self.assertEqual(host.end(), 0, host.text())
        # Said once per outage, not per event or try; an outage does not open the breaker.
        self.assertEqual(len(host.lines("Backend is away")), TRIES, host.text())
        self.assertEqual(len(host.lines("Backend is back")), TRIES, host.text())
        self.assertEqual(host.lines("Circuit breaker opened"), [], host.text())
        print(f"possible duplicates by the host's count: {stats['possible_duplicates']}", flush=True)
        self.assertLessEqual(stats["possible_duplicates"], TRIES * WINDOW)
        self.compare(self.sent, self.redis.write_lines(self.path("stream.jsonl")), stats["possible_duplicates"])

    def test_stopped(self):
        """redis_streams: away, back, nothing lost, when the server is stopped and started under load."""
        self.restart_under_load(signal.SIGTERM)

    def test_killed(self):
        """redis_streams: away, back, nothing lost, when the server is killed and started under load."""
        self.restart_under_load(signal.SIGKILL)


if __name__ == "__main__":
    unittest.main(verbosity=2)
