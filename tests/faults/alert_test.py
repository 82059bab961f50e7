"""Alerts over kills of the host: file → redis_streams, with a Slack that watches through its durable queue. kill -9 at random
moments, also while Slack does not answer: every matching event is told, and none twice but what was under way at a kill."""
import json
import os
import subprocess
import time
import unittest

import fault
from fault import wait_for

from servers.slack import Server

EVENTS = 120_000
EACH = 300          # one event of so many is told: EVENTS / EACH messages
KILLS = 5


class AlertTest(fault.Fault):
    def setUp(self):
        super().setUp()
        self.slack = Server().start()
        self.addCleanup(lambda: self.slack.stop())
        self.redis = self.keep(fault.Redis(self.folder, durable=True))
        self.sent = self.path("in.jsonl")
        with open(self.sent, "w", encoding="utf-8") as out:
            for number in range(EVENTS):
                kind = "t.alarm" if number % EACH == 7 else "t.plain"
                out.write(json.dumps({"specversion": "1.0", "id": f"e-{number}", "source": "/fault", "type": kind,
                                      "data": {"number": number, "text": "x" * (number % 90)}}) + "\n")
        self.wanted = {f"e-{number}" for number in range(EVENTS) if number % EACH == 7}

    def config(self, **more):
        rule = {"name": "alarm", "when": {"types": ["t.alarm"]}, "labels": {"event": "{{id}}"}, "group_by": ["event"],
                "title": "alarm {{id}}"}
        slack = {"class": "slack", "inputs": ["in"], **more,
                 "config": {"webhook_url": self.slack.webhook_url, "rules": [rule], "group_wait": "0s", "timeout": "2s",
                            "group_interval": "0s", "max_groups": 10_000, "messages_per_minute": 6000, "burst": 1000}}
        stream = {"url": self.redis.url, "stream_name": "ev", "max_len": 0, "ttl_seconds": 0}
        return self.graph({"in": fault.file_source(self.sent, checkpoint=self.path("checkpoint"))},
                          {"out": {"class": "redis_streams", "inputs": ["in"], "config": stream}},
                          consumers={"slack": slack})

    def told(self):
        return [message["text"].removeprefix("alarm ") for message in list(self.slack.messages)]

    def taken(self, host):
        return host.stats()["sources"]["in"]["events_in"]

    def test_killed_at_random(self):
        """alerts: every matching event is told at least once over kills at random moments, with and without an answering Slack."""
        config = self.config()
        for life in range(KILLS):
            self.slack.answer = "503" if life < 2 else None
            host = self.start(config, name=f"life-{life}")
            most = max(1, (EVENTS // KILLS) * self.random.randint(1, 10) // 10)
            wait_for(lambda: self.taken(host) >= most or int(self.redis.cli("XLEN", "ev")) >= EVENTS,
                     lambda: f"{most} events to be taken in:\n" + host.text())
            time.sleep(self.random.random() / 5)  # the moment of the kill is random by design; nothing waits for it
            host.kill()
        self.assertTrue(os.path.isdir(self.path("slack.queue")))  # durable by the class's own wish
        self.slack.answer = None
        host = self.start(config, name="last")
        wait_for(lambda: self.wanted <= set(self.told()),
                 lambda: f"{sorted(self.wanted - set(self.told()))[:5]} of {len(self.wanted)} to be told:\n" + host.text())
        self.assertEqual(host.end(), 0, host.text())
        told = self.told()
        print(f"{len(self.wanted)} matching events, {len(told)} messages, {KILLS} kills", flush=True)
        self.assertEqual(set(told), self.wanted)
        self.assertLessEqual(len(told) - len(self.wanted), KILLS)  # one message may be under way at a kill
        self.compare(self.sent, self.redis.write_lines(self.path("stream.jsonl")), EVENTS * KILLS)

    def test_its_queue_is_a_spool_like_others(self):
        """alerts: what the observer has not seen lies in its queue, and the spool commands read it."""
        config = self.config(queue={"kind": "durable", "path": "waiting", "max_bytes": "64MiB"})
        state = self.path("alerts-slack.state")
        with open(state, "w", encoding="utf-8") as held:  # its state belongs to another: the observer cannot start
            holder = subprocess.Popen(["flock", "--exclusive", state, "cat"], stdin=subprocess.PIPE,
                                      stdout=subprocess.DEVNULL)
            self.addCleanup(lambda: (holder.stdin.close(), holder.wait(timeout=10)))
            held.flush()
        host = self.start(config, name="first")
        wait_for(lambda: host.stats()["consumers"]["slack"]["spool"]["records"] == len(self.wanted),
                 lambda: "all that its rules can use in the queue:\n" + host.text())
        wait_for(lambda: host.stats()["sources"]["in"]["settled"]["delivered"] == EVENTS,
                 lambda: "all to be settled:\n" + host.text())
        self.assertIn('sluice_spool_records{node="slack"', host.page("/metrics")[1])
        host.kill()
        program = str(fault.support.SLUICE)
        listed = subprocess.run([program, "spool", "ls", "--config", str(config)], capture_output=True, text=True,
                                cwd=self.folder, check=True).stdout
        self.assertIn(f"{len(self.wanted)} open of {len(self.wanted)} records", listed)
        self.assertIn("ok, ", subprocess.run([program, "spool", "fsck", self.path("waiting")], capture_output=True,
                                             text=True, check=True).stdout)
        holder.stdin.close()
        holder.wait(timeout=10)
        host = self.start(config, name="second")
        wait_for(lambda: self.wanted <= set(self.told()), lambda: "all to be told:\n" + host.text())
        self.assertEqual(host.end(), 0, host.text())
        self.assertEqual(sorted(self.told()), sorted(self.wanted))


if __name__ == "__main__":
    unittest.main(verbosity=2)
