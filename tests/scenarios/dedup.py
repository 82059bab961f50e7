#!/usr/bin/python3
"""Duplicates, on the shipped program: a known key survives kill -9 in its file, two hosts that share a Redis skip each
other's, and a store that is away is shown and waited for."""

import json
import threading

from support import Host, Scenario, main, wait_for, whole_lines

from servers.redis import Server

CONFIG = """sluice: 1
sources:
  door: {class: http, dedup: %s}
backends:
  log: {class: event_log, inputs: [door], config: {path: %s}}
"""


def event(number, **data):
    return {"specversion": "1.0", "type": "order.made", "source": "/orders", "id": "evt_%d" % number, "data": data}


class Duplicates(Scenario):
    def start(self, dedup, log="events.jsonl", name="one"):
        config = self.folder / (name + ".yaml")
        config.write_text(CONFIG % (dedup, self.folder / log))
        return self.keep(Host(self.folder, config, dialect="native", name=name))

    def ids(self, log="events.jsonl"):
        return [json.loads(line)["id"] for line in whole_lines(self.folder / log)]

    def skipped(self, host):
        return host.stats()["sources"]["door"]["dedup"]["duplicates_skipped"]

    def test_a_known_key_survives_kill_9(self):
        dedup = "{store: {path: %s/keys.db}}" % self.folder
        host = self.start(dedup)
        for number in (1, 2, 1):
            self.assertLess(host.post(event(number))[0], 300)
        self.assertEqual(self.ids(), ["evt_1", "evt_2"])
        self.assertEqual(self.skipped(host), 1)
        second = self.run_sluice("run", self.folder / "one.yaml", "--set", "sources.door.config.listen=127.0.0.1:0")
        self.assertEqual(second.returncode, 78, second.stderr)
        self.assertIn("keys.db is in use by another process (%d)" % host.process.pid, second.stderr)
        host.process.kill()
        host.process.wait()
        again = self.start(dedup)
        for number in (2, 3, 1):
            self.assertLess(again.post(event(number))[0], 300)
        self.assertEqual(self.ids(), ["evt_1", "evt_2", "evt_3"])
        self.assertEqual(self.skipped(again), 2)

    def test_a_damaged_file_is_set_aside_and_said(self):
        (self.folder / "keys.db").write_bytes(b"no database at all" * 500)
        host = self.start("{store: {path: %s/keys.db}}" % self.folder)
        self.assertLess(host.post(event(1))[0], 300)
        self.assertTrue((self.folder / "keys.db.corrupt").exists())
        self.assertTrue(host.lines("was damaged and is set aside"))
        health = json.loads(host.page("/health")[1])
        door = next(node for node in health["nodes"] if node["name"] == "door")
        self.assertIn("set aside", door["key_store"]["last_error"]["text"])

    def test_a_business_key(self):
        host = self.start("{key: [/order, /step]}")
        for number, data in enumerate([{"order": 7, "step": "paid"}, {"step": "paid", "order": 7}, {"order": 7, "step": "sent"},
                                       {"order": 7}, {"order": 7}]):
            self.assertLess(host.post(event(number, **data))[0], 300)
        self.assertEqual(self.ids(), ["evt_0", "evt_2", "evt_3", "evt_4"])
        self.assertEqual(host.stats()["sources"]["door"]["dedup"]["without_key"], 2)
        self.assertIn('sluice_duplicates_skipped_total{node="door"} 1', host.page("/metrics")[1])

    def test_two_hosts_share_a_redis_and_wait_for_it(self):
        redis = Server(self.folder).start()
        self.addCleanup(redis.stop)
        dedup = "{store: {class: redis_streams, config: {url: '%s'}}}" % redis.url
        one = self.start(dedup, "one.jsonl", "one")
        two = self.start(dedup, "two.jsonl", "two")
        self.assertLess(one.post(event(1))[0], 300)
        self.assertLess(two.post(event(1))[0], 300)
        self.assertLess(two.post(event(2))[0], 300)
        self.assertLess(one.post(event(2))[0], 300)
        self.assertEqual((self.ids("one.jsonl"), self.ids("two.jsonl")), (["evt_1"], ["evt_2"]))
        self.assertEqual((self.skipped(one), self.skipped(two)), (1, 1))

        redis.kill()
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(one.post(event(3))))
        waiting.start()

        def store_state():
            nodes = json.loads(one.page("/health")[1])["nodes"]
            return next(node for node in nodes if node["name"] == "door")["key_store"]["state"]
        wait_for(lambda: store_state() == "away", "the store to show as away")
        self.assertEqual(one.page("/health")[0], 503)
        self.assertEqual((self.ids("one.jsonl"), answers), (["evt_1"], []))
        redis.start()
        waiting.join()
        self.assertLess(answers[0][0], 300, answers)
        self.assertEqual(self.ids("one.jsonl"), ["evt_1", "evt_3"])
        self.assertLess(two.post(event(3))[0], 300)
        self.assertEqual(self.skipped(two), 2)


if __name__ == "__main__":
    main()
