"""An event that an observer cannot stand: it ends the process, or the observer fails, whenever it is shown from the durable
queue. Three times at most; then it is set aside, and everything else is shown."""
import json
import os
import shutil
import signal
import subprocess
import unittest

import fault

EVENTS = 200  # one batch: all of it is in the queue before any of it is shown
POISON = 133


class PoisonTest(fault.Fault):
    def config(self, kind, name, count):
        """A run over `count` events; without any it finds what the queue holds."""
        sent = self.path(name + ".jsonl")
        with open(sent, "w", encoding="utf-8") as out:
            for number in range(count):
                out.write(json.dumps({"specversion": "1.0", "id": f"e-{number}", "source": "/fault",
                                      "type": kind if number == POISON else "t.plain"}) + "\n")
        folder = self.folder / "plugins"
        folder.mkdir(exist_ok=True)
        shutil.copy(fault.support.BUILD / "broken_plugins" / "poisoned_observer.so", folder)
        watch = {"class": "poisoned_observer", "inputs": ["in"], "config": {"path": self.path("taken")}}
        return self.graph({"in": fault.file_source(sent, stop_at_end=True)},
                          {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": self.path("log.jsonl")}}},
                          name=name + ".yaml", consumers={"watch": watch},
                          plugins={"path": [str(fault.support.BUILD / "plugins"), str(folder)]})

    def rejected(self):
        with open(self.path("watch.queue/rejected.jsonl"), encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def lives(self, kind, ended_with):
        first, later = self.config(kind, "first", EVENTS), self.config(kind, "later", 0)
        for config in (first, later, later):
            ran = self.run_to_end(config)
            self.assertIn(ran.returncode, ended_with, ran.stdout)
            self.assertEqual(self.rejected(), [], ran.stdout)
        self.assertIn("now one by one", ran.stdout)
        ran = self.run_to_end(later)
        self.assertEqual(ran.returncode, 0, ran.stdout)
        self.assertIn("kept beside the spool", ran.stdout)
        aside = self.rejected()
        self.assertEqual([event["id"] for event in aside], [f"e-{POISON}"])
        self.assertIn("3 times in a row", json.dumps(aside))
        with open(self.path("taken"), encoding="utf-8") as lines:
            taken = {line.rstrip("\n") for line in lines}
        self.assertEqual(taken, {f"e-{number}" for number in range(EVENTS) if number != POISON})
        shown = subprocess.run([str(fault.support.SLUICE), "spool", "cat", "--rejected", self.path("watch.queue")],
                               capture_output=True, text=True, check=True).stdout
        self.assertIn(f'"e-{POISON}"', shown)
        self.assertFalse([name for name in os.listdir(self.path("watch.queue")) if name.endswith(".seg")])
        self.assertEqual(self.run_to_end(later).returncode, 0)
        self.assertEqual(len(self.rejected()), 1)

    def test_crash(self):
        """an event that crashes the observer ends three runs with 70, and the fourth sets it aside."""
        self.lives("t.abort", {70})

    def test_kill(self):
        """an event on which the process is killed without a word, as when memory is used up, is set aside as well."""
        self.lives("t.kill", {-signal.SIGKILL})

    def test_failure(self):
        """an event on which the observer fails stops it three times, and is set aside by the fourth run."""
        self.lives("t.fail", {0, 1})


if __name__ == "__main__":
    unittest.main(verbosity=2)
