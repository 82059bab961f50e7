#!/usr/bin/python3
"""The vectors for events over HTTP, against a running host: rows of http_binding.jsonl end in a graph that delivers, rows of
webhook.jsonl (role target) ask for consent. The player is the plugin's own, plugins/http/tests/run_vectors.py."""

import json
import subprocess

from support import PYTHON, ROOT, Host, Scenario, main

PLAYER = ROOT / "plugins" / "http" / "tests" / "run_vectors.py"
VECTORS = ROOT / "tests" / "vectors"


def play(*arguments):
    return subprocess.run([PYTHON, PLAYER, *map(str, arguments)], capture_output=True, text=True, timeout=120)


class Vectors(Scenario):
    def start(self, path, config, name):
        file = self.folder / (name + ".yaml")
        file.write_text(json.dumps({
            "sluice": 1,
            "sources": {"door": {"class": "http", "config": {"path": path, **config}}},
            "backends": {"log": {"class": "event_log", "inputs": ["door"], "config": {"path": str(self.folder / (name + ".jsonl"))}}},
        }))
        return self.keep(Host(self.folder, file, dialect="native", name=name))

    def test_http_binding(self):
        host = self.start("/events", {}, "binding")
        ran = play("http://127.0.0.1:%d" % host.door_port, VECTORS / "http_binding.jsonl")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def test_what_was_accepted_is_in_the_log_as_the_rows_say(self):
        host = self.start("/events", {}, "accepted")
        rows = [json.loads(line) for line in (VECTORS / "http_binding.jsonl").read_text().splitlines() if line]
        must = [row for row in rows if row["level"] == "must" and row["expect"].get("accept")]
        expected = [event["attributes"] for row in must for event in row["expect"]["events"]]
        ran = play("http://127.0.0.1:%d" % host.door_port, VECTORS / "http_binding.jsonl", "--level", "must")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertEqual(host.end(), 0, host.text())
        logged = [json.loads(line) for line in (self.folder / "accepted.jsonl").read_text().splitlines()]
        self.assertEqual(len(logged), len(expected))
        for got, attributes in zip(logged, expected):
            for name in ("id", "source", "type", "subject", "datacontenttype"):
                if name in attributes:
                    self.assertEqual(got.get(name), attributes[name], (got, attributes))

    def test_consent_of_a_webhook_target(self):
        file = VECTORS / "webhook.jsonl"
        groups = play("", file, "--config").stdout.splitlines()
        self.assertTrue(groups)
        for number, group in enumerate(groups):
            with self.subTest(group):
                # In the rows null stands for "no limit" and enabled: false for a target that grants nobody; both are defaults.
                config = {key: value for key, value in json.loads(group).items() if value is not None and key != "enabled"}
                host = self.start("/hook", config, "hook%d" % number)
                ran = play("http://127.0.0.1:%d" % host.door_port, file, "--with-config", group)
                self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
                host.end()


if __name__ == "__main__":
    main()
