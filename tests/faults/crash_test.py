"""kill -9 under load: nothing that was settled is lost, and what comes twice was in flight or newer than the checkpoint.

Each round waits until the host's own page says that at least 1,000 events are in flight, kills it at that moment, and
starts it again over the same checkpoint. The last run goes to the end; a separate program compares the ids.
SLUICE_KILLS says how often each test kills (5)."""
import json
import os
import signal
import time
import unittest

import fault
from fault import wait_for

KILLS = int(os.environ.get("SLUICE_KILLS", "5"))
IN_FLIGHT = 1000
QUEUE = 4096             # events the lane holds, queued and in flight
RATE = 20_000            # events per second, so that the input outlasts the kills
INTERVAL_S = 0.05        # checkpoint_interval
LINES_PER_CHECKPOINT = 8192
BATCH = 256


class Kill(fault.Fault):
    def graph_over(self, backend, **more):
        self.checkpoint = self.path("in.checkpoint")
        source = fault.file_source(self.input, checkpoint=self.checkpoint, checkpoint_interval="50ms")
        delivery = {"queue": {"max_events": QUEUE}, "rate_limit": f"{RATE}/s"}
        return self.graph({"in": source}, {"out": {**backend, "inputs": ["in"], "delivery": delivery}}, **more)

    def since_checkpoint_s(self, started):
        try:
            return time.time() - os.stat(self.checkpoint).st_mtime
        except FileNotFoundError:
            return time.time() - started

    def kill_under_load(self, config, before_kill=lambda host: None, after_kill=lambda: None):
        """Kills KILLS times. Returns how many events may be there twice."""
        allowed = 0
        for number in range(KILLS):
            started = time.time()
            host = self.start(config, name=f"killed{number}")
            progress = self.random.randint(500, RATE // 4)
            # Events that went on before this start are not in this process's counts.
            seen = wait_for(lambda: (lambda out: out["queue_events"] >= IN_FLIGHT
                                     and out["events_published"] >= progress and out)(host.backend()),
                            lambda: f"{IN_FLIGHT} events in flight: {json.dumps(host.backend())}\n{host.text()}")
            seen = before_kill(host) or seen
            age = self.since_checkpoint_s(started)
            host.kill()
            after_kill()
            print(f"kill {number + 1}: {seen['queue_events']} events in flight ({seen['in_flight']} at the far side), "
                  f"{seen['events_published']} published, checkpoint {age * 1000:.0f} ms old", flush=True)
            self.assertGreaterEqual(seen["queue_events"], IN_FLIGHT)
            since = RATE * max(INTERVAL_S, age) + RATE / 10  # a tenth of a second may go at once
            allowed += QUEUE + BATCH + min(since, LINES_PER_CHECKPOINT + RATE / 10)
        return allowed

    def finish(self, config):
        ended = self.run_to_end(config, "sources.in.config.stop_at_end=true", "backends.out.delivery.rate_limit=1000000/s")
        self.assertEqual(ended.returncode, 0, ended.stdout)


class KillTest(Kill):
    def test_event_log(self):
        """event_log: every event is in the log and every line is whole, when the host is killed under load."""
        self.input = self.events(KILLS * RATE // 2 + RATE)
        log = self.path("out.jsonl")
        config = self.graph_over({"class": "event_log", "config": {"path": log}})
        allowed = self.kill_under_load(config)
        self.finish(config)
        self.compare(self.input, log, allowed)

    def test_redis_streams(self):
        """redis_streams: every event is in the stream, when the host is killed under load, unanswered XADDs included."""
        self.input = self.events(KILLS * RATE // 2 + RATE)
        redis = self.keep(fault.Redis(self.folder))
        stream = {"url": redis.url, "stream_name": "ev", "max_len": 0, "ttl_seconds": 0, "window": 4096,
                  "connection_pool": {"timeout": 30}}
        config = self.graph_over({"class": "redis_streams", "config": stream})

        def freeze(host):
            """Every second time the server stands still first, until 1,000 events have been sent to it unanswered."""
            if self.random.random() < 0.5:
                return None
            redis.process.send_signal(signal.SIGSTOP)
            self.addCleanup(redis.process.send_signal, signal.SIGCONT)
            return wait_for(lambda: (lambda out: out["in_flight"] >= IN_FLIGHT and out)(host.backend()),
                            lambda: f"{IN_FLIGHT} unanswered: {json.dumps(host.backend())}")

        allowed = self.kill_under_load(config, freeze, lambda: redis.process.send_signal(signal.SIGCONT))
        self.finish(config)
        self.compare(self.input, redis.write_lines(self.path("stream.jsonl")), allowed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
