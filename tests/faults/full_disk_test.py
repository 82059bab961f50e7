"""A full disk under the event log: the backend is away, nothing is lost or torn, and it goes on when there is room again.
A full disk under the state of the alerts: the observer is away, its queue holds back what comes, and nothing is told again
and again.

The disk is a tmpfs in a mount namespace of this process's own; where that is not permitted the test says so and is left
out (exit 77)."""
import json
import os
import subprocess
import sys
import unittest

import fault
from fault import wait_for

from servers.slack import Server

DISK_BYTES = 16 << 20
FILLER_BYTES = 12 << 20
EVENTS = 20_000  # about 11.7 MB: fits the disk, but not beside the filler
IN_NAMESPACE = "SLUICE_FAULTS_IN_NAMESPACE"


class FullDiskTest(fault.Fault):
    def disk(self, size_bytes):
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
        return disk

    def test_full_disk(self):
        """event_log: away while the disk is full and complete afterwards, when the disk is freed again."""
        disk = self.disk(DISK_BYTES)
        filler = disk / "filler"
        filler.write_bytes(b"x" * FILLER_BYTES)
        sent, log = self.events(EVENTS), disk / "out.jsonl"
        config = self.graph({"in": fault.file_source(sent, checkpoint=self.path("checkpoint"))},
                            {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": str(log)}}})
        host = self.start(config)
        status, nodes = wait_for(lambda: (lambda page: page[1]["out"]["down"] and page)(host.health()),
                                 lambda: "the log to be away:\n" + host.text())
        self.assertEqual(status, 503)
        self.assertEqual(nodes["out"]["state"], "away")
        self.assertIn("No space left on device", nodes["out"]["last_error"]["text"])
        self.assertIsNone(host.process.poll())
        # What is there while the disk is full is whole lines only.
        self.assertTrue(log.read_bytes().endswith(b"\n") or log.stat().st_size == 0)
        published = host.backend()["events_published"]
        self.assertEqual(len(log.read_bytes().splitlines()), published)

        filler.unlink()
        wait_for(lambda: host.backend()["events_published"] == EVENTS, lambda: "all events:\n" + host.text())
        self.assertEqual(host.health()[1]["out"]["state"], "running")
        self.assertEqual(host.backend()["events_failed"], 0)
        self.assertEqual(host.end(), 0)
        self.assertTrue(host.lines("Backend is away"), host.text())
        self.assertTrue(host.lines("Backend is back"), host.text())
        self.compare(sent, log, 0)

    def happens(self, run):
        """An event that fires an alert; its text is longer than what is left of any page of the state."""
        with open(self.path("in.jsonl"), "a", encoding="utf-8") as out:
            out.write(json.dumps({"specversion": "1.0", "id": run, "source": "/fault", "type": "t.alarm",
                                  "data": {"run": run, "text": "x" * 6000}}) + "\n")

    def told(self, slack):
        return [message["text"] for message in list(slack.messages)]

    def kept_back(self, host):
        return host.stats()["consumers"]["slack"]["spool"]["records"]

    def wait_until_told(self, slack, host, *runs):
        wait_for(lambda: self.told(slack) == list(runs), lambda: f"{runs}, not {self.told(slack)}:\n{host.text()}")

    def test_full_disk_under_the_state_of_alerts(self):
        """alerts: away while their state cannot be written; held back, told when there is room, not told again and again."""
        disk = self.disk(256 << 10)
        slack = Server().start()
        self.addCleanup(slack.stop)
        rule = {"name": "alarm", "when": {"types": ["t.alarm"]}, "labels": {"run": "{{data.run}}"}, "group_by": ["run"],
                "title": "{{data.run}}", "text": "{{data.text}}", "resolve": {"after": "24h"}}
        alerts = {"class": "slack", "inputs": ["in"],
                  "config": {"webhook_url": slack.webhook_url, "rules": [rule], "group_wait": "0s", "group_interval": "0s",
                             "state": str(disk / "alerts.state"), "messages_per_minute": 6000, "burst": 1000}}
        self.happens("r1")
        config = self.graph({"in": fault.file_source(self.path("in.jsonl"), checkpoint=self.path("checkpoint"))},
                            {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": self.path("out.jsonl")}}},
                            consumers={"slack": alerts})

        def fill():
            with open(disk / "filler", "wb", buffering=0) as out:
                try:
                    while True:
                        out.write(b"x" * 4096)
                except OSError as full:
                    self.assertIn("No space left", str(full))

        host = self.start(config, name="first")
        self.wait_until_told(slack, host, "r1")
        wait_for(lambda: "\nS\t" in (disk / "alerts.state").read_text(), "the message to be in the state")
        fill()
        self.happens("r2")  # taken into memory and told from there, but not answered for
        self.wait_until_told(slack, host, "r1", "r2")
        self.happens("r3")  # not even looked at
        wait_for(lambda: self.kept_back(host) == 2, lambda: "two events in the queue:\n" + host.text())
        _, nodes = host.health()
        self.assertEqual(nodes["slack"]["state"], "away")
        self.assertIn("cannot be written", nodes["slack"]["last_error"]["text"])
        self.assertEqual(len(host.lines("The state of the alerts cannot be written", "No space left on device")), 1)
        wait_for(lambda: host.backend()["events_published"] == 3, "delivery to go on")
        host.kill()

        host = self.start(config, name="still-full")
        host.wait_for_line("Observer is away", "No space left on device")
        self.assertEqual(self.told(slack), ["r1", "r2"])
        (disk / "filler").unlink()
        self.wait_until_told(slack, host, "r1", "r2", "r2", "r3")  # r2 once more: a kill lost that it was told
        wait_for(lambda: self.kept_back(host) == 0, "the queue to be empty")
        self.assertEqual(host.health()[1]["slack"]["state"], "running")

        fill()
        self.happens("r4")
        host.wait_for_line("The state of the alerts cannot be written")
        self.happens("r5")
        wait_for(lambda: self.kept_back(host) == 2, lambda: "two events in the queue:\n" + host.text())
        (disk / "filler").unlink()
        host.wait_for_line("The state of the alerts is written again")
        self.wait_until_told(slack, host, "r1", "r2", "r2", "r3", "r4", "r5")
        wait_for(lambda: self.kept_back(host) == 0, "the queue to be empty")
        wait_for(lambda: host.health()[1]["slack"]["state"] == "running", "the observer to be well")
        self.assertEqual(host.end(), 0)

        host = self.start(config, name="last")
        self.happens("r6")
        self.wait_until_told(slack, host, "r1", "r2", "r2", "r3", "r4", "r5", "r6")
        self.assertEqual(host.end(), 0)


def enter_namespace():
    """Runs this program again where it may mount; ends with 77 where nobody lets it."""
    ways = [["unshare", "--mount", "--propagation", "private"]]
    if os.geteuid() != 0:
        ways = [["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"]]
    for way in ways:
        probe = subprocess.run([*way, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"], capture_output=True, text=True)
        if probe.returncode == 0:
            os.environ[IN_NAMESPACE] = "1"
            os.execvp(way[0], [*way, sys.executable, *sys.argv])
    print(f"left out: no tmpfs of its own may be mounted here ({probe.stderr.strip()})")
    sys.exit(77)


if __name__ == "__main__":
    if IN_NAMESPACE not in os.environ:
        enter_namespace()
    unittest.main(verbosity=2)
