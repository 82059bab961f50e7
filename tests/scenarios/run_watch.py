"""A run watched to its end in a whole host: it falls silent, the host is killed, it goes on, and ends short of its total."""

import json
import pathlib
import signal
import tempfile
import unittest

from support import Host, wait_for, whole_lines

CONFIG = """
sluice: 1
sources: { door: { class: http } }
consumers:
  watch:
    class: validation
    inputs: [door]
    config: { end_types: [extraction.completed], stalled_after: 300ms, early_checkpoint: 0, state: out/state }
backends:
  log: { class: event_log, inputs: [watch], config: { path: out/log.jsonl } }
"""


def event(number, kind, **data):
    return {"specversion": "1.0", "id": str(number), "source": "/lab", "type": kind, "data": {"run_id": "r1"} | data}


class RunWatch(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)
        self.config = self.folder / "watch.yaml"
        self.config.write_text(CONFIG)

    def host(self):
        host = Host(self.folder, self.config, dialect="native")
        self.addCleanup(host.end)
        return host

    def found(self, kind):
        lines = whole_lines(self.folder / "out" / "log.jsonl")
        return [each["data"] for each in map(json.loads, lines) if each["type"] == kind]

    def test_a_run_that_stalls_over_a_kill_and_ends_short_is_told_at_each_turn(self):
        host = self.host()
        self.assertEqual(host.post(event(1, "extraction.started", total_specimens=3))[0] // 100, 2)
        self.assertEqual(host.post(event(2, "specimen.completed"))[0] // 100, 2)
        wait_for(lambda: self.found("validation.stalled"), "the run to count as stalled")
        host.end(signal.SIGKILL)
        host = self.host()
        self.assertEqual(host.post(event(3, "specimen.completed"))[0] // 100, 2)
        self.assertEqual(host.post(event(4, "extraction.completed"))[0] // 100, 2)
        wait_for(lambda: self.found("validation.incomplete"), "what is missing")
        self.assertEqual(self.found("validation.stalled")[0],
                         {"run_id": "r1", "processed": 1, "success_rate": 1.0, "idle_seconds": 0.3})
        self.assertEqual(self.found("validation.resumed")[0], {"run_id": "r1", "processed": 1, "success_rate": 1.0})
        self.assertEqual(self.found("validation.completed"),
                         [{"run_id": "r1", "processed": 2, "success_rate": 1.0, "total": 3, "threshold": 0.7, "passed": True}])
        self.assertEqual(self.found("validation.incomplete"),
                         [{"run_id": "r1", "processed": 2, "success_rate": 1.0, "total": 3, "missing": 1}])


if __name__ == "__main__":
    unittest.main()
