"""A backend with a spool: away for long it costs the source nothing; kill -9 in the middle, a full disk and a second owner
lose nothing and are said.

The disk of the full-disk test is a tmpfs in a mount namespace of this process's own; where that is not permitted that one
test is left out."""
import json
import os
import subprocess
import sys
import unittest

import fault
from fault import wait_for

EVENTS = 60_000
CHECKPOINT_LINES = 8192
WAITING = 32_768       # events that may wait for their sync
IN_NAMESPACE = "SLUICE_FAULTS_IN_NAMESPACE"


class SpoolTest(fault.Fault):
    def spooled(self, port, spool=None, **backend):
        self.sent = getattr(self, "sent", None) or self.events(EVENTS)
        self.spool = self.path("spool")
        stream = {"url": f"redis://127.0.0.1:{port}/1", "stream_name": "ev", "max_len": 0, "ttl_seconds": 0}
        return self.graph({"in": fault.file_source(self.sent, checkpoint=self.path("checkpoint"))},
                          {"out": {"class": "redis_streams", "inputs": ["in"], "config": stream,
                                   "delivery": {"spool": {"path": self.spool, **(spool or {})}, **backend}}},
                          drain_deadline="60s")

    def settled(self, host):
        return host.stats()["sources"]["in"]["settled"]

    def spool_of(self, host):
        return host.backend()["spool"]

    def sluice(self, *arguments):
        return subprocess.run([str(fault.support.SLUICE), *arguments], capture_output=True, text=True, cwd=self.folder,
                              timeout=fault.RUN_S, env=fault.support.environment())

    def test_away_and_killed(self):
        """spool: every event is settled while the backend is away, and all arrive after two kills of the host."""
        port = fault.free_port()
        config = self.spooled(port)
        host = self.start(config, name="first")
        wait_for(lambda: self.spool_of(host)["records"] >= EVENTS // 4, lambda: "a part in the spool:\n" + host.text())
        host.kill()
        host = self.start(config, name="second")
        wait_for(lambda: (lambda s: s["delivered"] > 0 and s["delivered"] == host.stats()["sources"]["in"]["events_in"])(
            self.settled(host)) and self.spool_of(host)["records"] >= EVENTS, lambda: "all in the spool:\n" + host.text())
        self.assertEqual(self.settled(host)["retry"], 0)
        self.assertEqual(host.health()[1]["out"]["state"], "away")
        self.assertIn("sluice_spool_oldest_seconds", host.page("/metrics")[1])
        host.kill()

        # Nothing of it is only in somebody's memory: the commands see it, whole.
        listed = self.sluice("spool", "ls", "--config", str(config))
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn(" open of ", listed.stdout)
        checked = self.sluice("spool", "fsck", self.spool)
        self.assertIn("ok, ", checked.stdout)
        waiting = self.sluice("spool", "cat", self.spool)
        waiting_ids = {json.loads(line)["id"] for line in waiting.stdout.splitlines()}
        self.assertEqual(len(waiting_ids), EVENTS)

        redis = self.keep(fault.Redis(self.folder, port=port, durable=True))
        host = self.start(config, name="third")
        wait_for(lambda: host.backend()["events_published"] > 1000, lambda: "deliveries:\n" + host.text())
        host.kill()  # in the middle of delivering
        ended = self.run_to_end(config, "sources.in.config.stop_at_end=true")
        self.assertEqual(ended.returncode, 0, ended.stdout)
        self.assertEqual([name for name in os.listdir(self.spool) if name.endswith(".seg")], [])
        self.compare(self.sent, redis.write_lines(self.path("stream.jsonl")), 3 * (CHECKPOINT_LINES + WAITING))

    def test_stopped_while_away(self):
        """spool: what remains at the deadline stays on disk, is said, and the exit code is clean."""
        config = self.spooled(fault.free_port())
        ended = self.run_to_end(config, "sources.in.config.stop_at_end=true", "drain_deadline=1s")
        self.assertEqual(ended.returncode, 0, ended.stdout)
        self.assertIn(f"{EVENTS} events stay in spools and are not lost", ended.stdout)
        listed = self.sluice("spool", "ls", self.spool)
        self.assertIn(f"{EVENTS} open of {EVENTS} records", listed.stdout)

    def test_second_owner(self):
        """spool: a second process is refused with the number of the first, and nothing is changed."""
        config = self.spooled(fault.free_port())
        host = self.start(config)
        wait_for(lambda: self.spool_of(host)["records"] >= EVENTS, lambda: "all in the spool:\n" + host.text())
        ended = self.run_to_end(config)
        self.assertEqual(ended.returncode, 78, ended.stdout)
        self.assertIn(f"is in use by process {host.process.pid}", ended.stdout)
        self.assertIn("in use by process", self.sluice("spool", "ls", self.spool).stdout)
        self.assertEqual(self.spool_of(host)["records"], EVENTS)

    def test_damage(self):
        """spool: a flipped bit costs one record, fsck says where, and the run goes on."""
        port = fault.free_port()
        config = self.spooled(port)
        self.run_to_end(config, "sources.in.config.stop_at_end=true", "drain_deadline=1s")
        segment = os.path.join(self.spool, sorted(n for n in os.listdir(self.spool) if n.endswith(".seg"))[0])
        with open(segment, "r+b") as file:
            file.seek(os.path.getsize(segment) // 2)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 8]))
        checked = self.sluice("spool", "fsck", self.spool)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("hold no whole record", checked.stdout)
        redis = self.keep(fault.Redis(self.folder, port=port))
        ended = self.run_to_end(config, "sources.in.config.stop_at_end=true")
        self.assertEqual(ended.returncode, 0, ended.stdout)
        self.assertIn("The spool is damaged", ended.stdout)
        self.assertEqual(int(redis.cli("XLEN", "ev")), EVENTS - 1)
        self.assertTrue([n for n in os.listdir(self.spool) if n.endswith(".seg.corrupt")])

    def test_full_disk(self):
        """spool: on a full disk the source waits; when there is room again everything arrives once."""
        if IN_NAMESPACE not in os.environ:
            self.skipTest("no tmpfs of its own may be mounted here")
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
        filler = disk / "filler"
        filler.write_bytes(b"x" * (8 << 20))
        self.sent = self.events(20_000)  # about 12 MB: fits the disk, but not beside the filler
        port = fault.free_port()
        config = self.spooled(port, {"path": str(disk / "spool"), "segment_bytes": "1MiB"})
        host = self.start(config)
        wait_for(lambda: self.spool_of(host)["full"], lambda: "the spool to be full:\n" + host.text())
        self.assertIn("No space left on device", host.text())
        self.assertLess(self.settled(host)["delivered"], 20_000)
        filler.unlink()
        wait_for(lambda: self.settled(host)["delivered"] == 20_000, lambda: "all settled:\n" + host.text())
        redis = self.keep(fault.Redis(self.folder, port=port))
        wait_for(lambda: host.backend()["events_published"] == 20_000, lambda: "all events:\n" + host.text())
        self.assertEqual(host.end(), 0)
        self.compare(self.sent, redis.write_lines(self.path("stream.jsonl")), 0)


def enter_namespace():
    """Runs this program again where it may mount, if anybody lets it."""
    ways = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid() != 0:
        ways = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"]
    probe = subprocess.run([*ways, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"], capture_output=True, text=True)
    if probe.returncode == 0:
        os.environ[IN_NAMESPACE] = "1"
        os.execvp(ways[0], [*ways, sys.executable, *sys.argv])


if __name__ == "__main__":
    if IN_NAMESPACE not in os.environ:
        enter_namespace()
    unittest.main(verbosity=2)
