"""The documents' way in: redis-py publishes, a consumer group reads, and the group's own commands show what is left."""

import json

import support
from support import wait_for, whole_lines

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
        return [json.loads(line)["id"] for line in whole_lines(self.folder / output)]

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

    def test_a_killed_host_loses_nothing_and_repeats_at_most_what_was_in_flight(self):
        self.publish(0, 20000)
        path = self.config(max_in_flight=1000, batch_size=100)
        for kill in range(3):
            seen = len(self.ids())
            host = self.run_host(path, name="host-%d" % kill)
            wait_for(lambda: len(self.ids()) > seen + 500, "events to arrive")
            host.process.kill()
            host.process.wait()
        host = self.run_host(path)
        self.wait_until_settled(20000)
        self.assertLessEqual(len(self.ids()), 20000 + 3 * 1000)
        self.assertEqual(host.end(), 0)

    def test_two_hosts_share_a_group_and_one_takes_over_when_the_other_is_killed(self):
        one = self.run_host(self.config("one.yaml", "one.jsonl", consumer_name="one", claim_idle_ms=1000, batch_size=50))
        self.run_host(self.config("two.yaml", "two.jsonl", consumer_name="two", claim_idle_ms=1000, batch_size=50), name="two")
        for number in range(0, 6000, 100):
            self.publish(number, 100)
        wait_for(lambda: self.ids("one.jsonl") and self.ids("two.jsonl"), "both to get something")
        one.process.kill()
        one.process.wait()
        self.publish(6000, 2000)
        wait_for(lambda: len(set(self.ids("one.jsonl") + self.ids("two.jsonl"))) == 8000, "all of it")
        wait_for(lambda: self.pending() == 0, "nothing pending")

    def test_the_server_is_killed_and_restarted_under_load(self):
        self.publish(0, 10000)
        host = self.run_host(self.config())
        for kill in range(3):
            seen = len(set(self.ids()))
            wait_for(lambda: len(set(self.ids())) > min(seen + 100, 9999), "events to arrive")
            self.server.restart()
            self.publish(10000 + kill * 1000, 1000)
        self.wait_until_settled(13000)
        self.assertEqual(host.end(), 0)

    def test_what_is_no_event_is_rejected_acknowledged_and_kept_as_a_dead_letter(self):
        self.redis_py.xadd(STREAM, {"payload": "not an event"})
        self.redis_py.xadd(STREAM, {"event": "{broken"})
        self.publish(0, 1)
        path = self.config()
        config = json.loads(path.read_text())
        config["sources"]["in"]["dead_letter"] = "unreadable"
        config["backends"]["unreadable"] = {"class": "event_log", "config": {"path": str(self.folder / "dead.jsonl")}}
        path.write_text(json.dumps(config))
        host = self.run_host(path)
        self.wait_until_settled(1)
        wait_for(lambda: len(self.ids("dead.jsonl")) == 2, "two dead letters")
        self.assertEqual(host.end(), 0)
        dead = (self.folder / "dead.jsonl").read_text()
        self.assertIn("io.sluice.undecodable", dead)
        self.assertTrue(host.lines("without the field 'event'"))

    def test_what_sluice_publishes_it_reads_again_byte_for_byte(self):
        written = [event(number, subject="\u00fc\u4f60") for number in range(200)]
        publish = self.folder / "publish.yaml"
        publish.write_text(json.dumps({"sluice": 1, "sources": {"in": {"class": "stdin"}}, "backends": {"out": {
            "class": "redis_streams", "inputs": ["in"], "config": {"url": self.server.url, "stream_name": STREAM}}}}))
        ran = self.run_sluice("run", publish, stdin="".join(line + "\n" for line in written))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        read = self.config(stop_at_end=True)
        ran = self.run_sluice("run", read)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual((self.folder / "out.jsonl").read_text().splitlines(), written)
        self.assertEqual(self.pending(), 0)


if __name__ == "__main__":
    support.main()
