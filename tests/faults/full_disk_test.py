"""A full disk under the event log: the backend is away, nothing is lost or torn, and it goes on when there is room again.

The disk is a tmpfs in a mount namespace of this process's own; where that is not permitted the test says so and is left
out (exit 77)."""
import os
import subprocess
import sys
import unittest

import fault
from fault import wait_for

DISK_BYTES = 16 << 20
FILLER_BYTES = 12 << 20
EVENTS = 20_000  # about 11.7 MB: fits the disk, but not beside the filler
IN_NAMESPACE = "SLUICE_FAULTS_IN_NAMESPACE"


class FullDiskTest(fault.Fault):
    def test_full_disk(self):
        """event_log: away while the disk is full and complete afterwards, when the disk is freed again."""
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
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
