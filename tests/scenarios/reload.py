"""SIGHUP: the configuration is read again while events flow. What changed takes the old one's place, nothing is lost, a bad
file changes nothing, and what needs a restart is named."""

import json
import os
import pathlib
import shutil
import signal
import tempfile
import threading
import unittest
import urllib.request

import yaml

from support import BUILD, PATIENCE_S, Host, Redis, wait_for

from servers.slack import Server as Slack


def event(number, kind="t.plain", **data):
    return {"specversion": "1.0", "id": "e-%d" % number, "source": "/load", "type": kind, "data": {"n": number} | data}


class Load:
    """Posts batches until it is told to stop. `accepted`: the ids that the host took."""

    def __init__(self, host):
        self.door, self.accepted, self.refused, self.halt = host.door, [], [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        number = 0
        while not self.halt.is_set():
            batch = [event(number + i) for i in range(20)]
            number += len(batch)
            request = urllib.request.Request(self.door, data=json.dumps(batch).encode(), method="POST",
                                             headers={"Content-Type": "application/cloudevents-batch+json"})
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                    took = answer.status // 100 == 2
            except OSError as why:
                took = False
                self.refused.append(str(why))
            if took:
                self.accepted += [each["id"] for each in batch]

    def stop(self):
        self.halt.set()
        self.thread.join(PATIENCE_S)


class Reload(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="sluice-reload-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.file = self.folder / "sluice.yaml"
        self.plugins = BUILD / "plugins"

    def write(self, backends, **more):
        self.file.write_text(yaml.safe_dump({
            "sluice": 1, "plugins": {"path": [str(self.plugins)]},
            "sources": {"door": {"class": "http", "config": {"listen": "127.0.0.1:0"}}},
            "backends": {name: {"inputs": ["door"]} | node for name, node in backends.items()}} | more))

    def start(self, **more):
        host = Host(self.folder, self.file, dialect="native", **more)
        self.addCleanup(host.end)
        return host

    def reload(self, host, result):
        """Sends SIGHUP and waits until its result is told. (the text of it)"""
        before = self.count(host, result)
        host.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.count(host, result) > before or host.process.poll() is not None,
                 lambda: "a reload that is %s; the host printed:\n%s" % (result, host.text()))
        last = json.loads(host.page("/health")[1])["last_reload"]
        self.assertEqual(last["result"], result)
        return last["text"]

    def count(self, host, result):
        line = 'sluice_reloads_total{result="%s"} ' % result
        return sum(int(float(each[len(line):])) for each in host.page("/metrics")[1].splitlines() if each.startswith(line))

    def redis(self, name):
        folder = self.folder / name
        folder.mkdir()
        server = Redis(folder)
        self.addCleanup(server.end)
        return server

    @staticmethod
    def stream_to(server, **more):
        return {"class": "redis_streams", "config": {"url": server.url, "stream_name": "s"}} | more

    def log_to(self, name):
        return {"class": "event_log", "config": {"path": str(self.folder / name)}}

    def logged(self, name):
        path = self.folder / name
        return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []

    def streamed(self, server):
        return [each["id"] for each in server.events("s")]

    def class_of(self, host, name):
        return next(node["class"] for node in json.loads(host.page("/health")[1])["nodes"] if node["name"] == name)

    def test_a_backend_is_swapped_under_load_and_no_event_is_lost(self):
        first, second = self.redis("first"), self.redis("second")
        self.write({"stream": self.stream_to(first)})
        host = self.start()
        load = Load(host)
        self.addCleanup(load.stop)
        wait_for(lambda: len(self.streamed(first)) > 200, "events in the first Redis")
        self.write({"stream": self.stream_to(second)})
        self.reload(host, "applied")
        self.assertEqual(len(host.lines("Reload: node replaced", "stream")), 1)
        wait_for(lambda: len(self.streamed(second)) > 200, "events in the second Redis")
        count = len(self.streamed(first))
        self.write({"stream": self.log_to("log.jsonl")})  # another class under the same name
        self.reload(host, "applied")
        self.assertEqual(self.class_of(host, "stream"), "event_log")
        wait_for(lambda: len(self.logged("log.jsonl")) > 200, "events in the file")
        load.stop()
        self.assertEqual(load.refused, [])
        self.assertEqual(host.end(), 0)
        self.assertEqual(len(self.streamed(first)), count)  # nobody writes there any more
        arrived = self.streamed(first) + self.streamed(second) + self.logged("log.jsonl")
        self.assertEqual(set(load.accepted) - set(arrived), set())
        self.assertEqual(len(arrived), len(set(arrived)))  # nothing was killed: nothing comes twice

    def test_what_a_redis_that_is_away_was_owed_goes_to_the_next_one(self):
        gone, there = self.redis("gone"), self.redis("there")
        self.write({"stream": self.stream_to(gone)})
        host = self.start(door=True)
        gone.end()
        answers = []
        caller = threading.Thread(target=lambda: answers.append(host.post(event(1))[0]))  # waits for its answer
        caller.start()
        wait_for(lambda: any(n["name"] == "stream" and n["queue"]["events"] == 1 and n["state"] == "away"
                             for n in json.loads(host.page("/health")[1])["nodes"]), "the event to wait")
        self.write({"stream": self.stream_to(there)})
        self.reload(host, "applied")
        caller.join(PATIENCE_S)
        self.assertEqual([answer // 100 for answer in answers], [2])
        self.assertEqual(self.streamed(there), ["e-1"])

    def test_a_bad_file_changes_nothing_while_events_flow(self):
        self.write({"log": self.log_to("log.jsonl")})
        host = self.start()
        load = Load(host)
        self.addCleanup(load.stop)
        wait_for(lambda: len(self.logged("log.jsonl")) > 100, "events")
        self.file.write_text(self.file.read_text().replace("event_log", "event_logg") + "nonsense: 1\n")
        text = self.reload(host, "refused")
        self.assertIn(str(self.file), text)
        self.assertIn("(and 1 more)", text)
        self.assertTrue(host.lines(str(self.file) + ":", "did you mean"))
        self.assertTrue(host.lines(str(self.file) + ":", "nonsense"))
        self.assertEqual(len(host.lines("Reload refused, the old configuration stays")), 1)
        self.file.write_text("sluice: 1\n  backends: {")
        self.reload(host, "refused")
        before = len(self.logged("log.jsonl"))
        wait_for(lambda: len(self.logged("log.jsonl")) > before + 100, "events after the refusals")
        load.stop()
        self.assertEqual(host.end(), 0)
        self.assertEqual(load.refused, [])
        self.assertEqual(sorted(load.accepted), sorted(self.logged("log.jsonl")))

    def test_what_needs_a_restart_is_named_and_nothing_else_is_changed(self):
        self.write({"log": self.log_to("log.jsonl"), "old": self.log_to("old.jsonl")})
        host = self.start()
        moved = self.log_to("moved.jsonl") | {"when": {"types": ["t.*"]}, "delivery": {"queue": {"max_events": 100}}}
        self.write({"log": moved, "new": self.log_to("new.jsonl")}, drain_deadline="3s")
        text = self.reload(host, "refused")
        for part in ("backends.log.when", "backends.log.delivery.queue", "backends.old (removed)", "backends.new (new)",
                     "drain_deadline", "need a restart"):
            self.assertIn(part, text)
        host.post(event(1))
        wait_for(lambda: self.logged("log.jsonl") == ["e-1"], "the event where it always went")
        self.assertFalse((self.folder / "moved.jsonl").exists())

    def test_one_that_does_not_start_takes_the_others_back(self):
        self.write({"a": self.log_to("a.jsonl"), "b": self.log_to("b.jsonl")})
        host = self.start()
        load = Load(host)
        self.addCleanup(load.stop)
        wait_for(lambda: len(self.logged("a.jsonl")) > 100, "events")
        (self.folder / "file").write_text("")
        self.write({"a": self.log_to("a2.jsonl"), "b": self.log_to("file/b.jsonl")})
        self.assertIn("b: cannot start", self.reload(host, "refused"))
        before = len(self.logged("b.jsonl"))
        wait_for(lambda: len(self.logged("b.jsonl")) > before + 100, "events where they always went")
        load.stop()
        self.assertEqual(host.end(), 0)
        self.assertEqual(load.refused, [])
        for name in ("a.jsonl", "b.jsonl"):
            self.assertEqual(sorted(load.accepted), sorted(self.logged(name)))
        self.assertEqual(self.logged("a2.jsonl"), [])

    def test_numbers_of_delivery_change_without_another_instance_and_the_same_file_changes_nothing(self):
        self.write({"log": self.log_to("log.jsonl")})
        host = self.start(sets=["backends.log.config.path=set.jsonl"])
        self.reload(host, "unchanged")
        self.write({"log": self.log_to("other.jsonl") | {"delivery": {"retry": {"max_attempts": 9}, "rate_limit": "500/s"}}},
                   log={"level": "debug"})
        self.assertEqual(self.reload(host, "applied"), "log adjusted, log.level debug")
        self.assertEqual(host.lines("Reload: node replaced"), [])
        host.post(event(1))
        wait_for(lambda: self.logged("set.jsonl") == ["e-1"], "the event where --set says")

    def test_a_newer_module_of_the_same_name_takes_the_place_of_the_one_that_runs(self):
        self.plugins = self.folder / "plugins"
        shutil.copytree(BUILD / "plugins", self.plugins, ignore=lambda _, names: [n for n in names if not n.endswith(".so")])
        self.write({"log": self.log_to("log.jsonl")})
        host = self.start()
        host.post(event(1))
        newer = self.plugins / "newer"
        module = next(p for p in self.plugins.glob("*.so") if b"event_log" in p.read_bytes())
        shutil.copy(module, newer)
        os.replace(newer, module)  # as a package does
        self.assertEqual(self.reload(host, "applied"), "log replaced")
        maps = pathlib.Path("/proc/%d/maps" % host.process.pid).read_text()
        inodes = {line.split()[4] for line in maps.splitlines() if "/" + module.name in line}
        self.assertEqual(len(inodes), 2)  # the one before is never unloaded
        host.post(event(2))
        wait_for(lambda: self.logged("log.jsonl") == ["e-1", "e-2"], "both events")

    def test_a_changed_rule_keeps_the_alerts_that_are_open(self):
        slack = Slack().start()
        self.addCleanup(slack.stop)
        rule = {"name": "low", "when": {"types": ["validation.warning"]}, "if": ["/rate < 0.6"], "group_by": ["run"],
                "labels": {"run": "{{data.run}}"}, "title": "low",
                "resolve": {"when": {"types": ["extraction.completed"]}}}

        def write(*rules):
            config = {"webhook_url": slack.webhook_url, "rules": list(rules), "group_wait": "0s", "group_interval": "0s",
                      "state": str(self.folder / "alerts.state"), "messages_per_minute": 6000, "burst": 1000}
            self.write({"log": self.log_to("log.jsonl")},
                       consumers={"slack": {"class": "slack", "inputs": ["door"], "config": config}})

        write(rule)
        host = self.start()
        host.post(event(1, "validation.warning", rate=0.4, run="r1"))
        wait_for(lambda: len(slack.messages) == 1, "the first message")
        other = rule | {"name": "stalled", "when": {"types": ["validation.stalled"]}, "if": [], "title": "stalled"}
        write(rule, other)
        self.assertEqual(self.reload(host, "applied"), "slack replaced")
        host.post(event(2, "validation.warning", rate=0.3, run="r1"))  # of the open alert: no news
        host.post(event(3, "validation.stalled", run="r2"))  # only the new rule knows it
        host.post(event(4, "extraction.completed", run="r1"))  # ends what began before the reload
        wait_for(lambda: any(m["text"].startswith("[RESOLVED]") for m in slack.messages), lambda: "its end: %s" % slack.messages)
        texts = sorted(message["text"] for message in slack.messages)
        self.assertEqual([t for t in texts if not t.startswith("[RESOLVED]")], ["low", "stalled"])


if __name__ == "__main__":
    unittest.main()
