"""Stopping under load: what was accepted is delivered or reported, and the exit code tells which."""
import os
import signal
import subprocess
import unittest

import fault
from fault import support, wait_for

EVENTS = 20_000


def slow(inputs, latency="20ms", in_flight=256):
    return {"class": "null", "inputs": inputs, "config": {"latency": latency, "in_flight": in_flight}}


def summary_row(text, name):
    """The numbers of a source's or backend's row in the stop summary."""
    for line in reversed(text.splitlines()):
        words = line.split()
        if words and words[0] == name:
            return [int(word) for word in words[1:] if word.isdigit()]
    raise AssertionError(f"no row {name} in the summary:\n{text}")


class DrainTest(fault.Fault):
    def loaded(self, config, **more):
        host = self.start(config, **more)
        wait_for(lambda: host.backend()["queue_events"] >= 1000, lambda: "1,000 events under way:\n" + host.text())
        return host

    def test_delivers_what_was_accepted(self):
        """SIGTERM: exit 0 and everything that was taken in is delivered, when the backend is slow but in time."""
        config = self.graph({"in": fault.file_source(self.events(EVENTS), checkpoint=self.path("checkpoint"))},
                            {"out": slow(["in"])}, drain_deadline="60s")
        host = self.loaded(config)
        host.process.send_signal(signal.SIGTERM)
        self.assertEqual(host.wait_long(), 0, host.text())
        records, delivered, dropped, rejected, undelivered = summary_row(host.text(), "in")
        self.assertEqual((records, dropped, rejected, undelivered), (delivered, 0, 0, 0))
        self.assertGreaterEqual(delivered, 1000)

    def test_reports_what_was_not(self):
        """SIGTERM: exit 1 and every event is counted as delivered or not, when the deadline passes first."""
        config = self.graph({"in": fault.file_source(self.events(EVENTS), checkpoint=self.path("checkpoint"))},
                            {"out": slow(["in"], latency="1h", in_flight=2000)}, drain_deadline="300ms")
        host = self.loaded(config)
        host.process.send_signal(signal.SIGTERM)
        self.assertEqual(host.wait_long(), 1, host.text())
        records, delivered, dropped, rejected, undelivered = summary_row(host.text(), "in")
        self.assertEqual((delivered, dropped, rejected), (0, 0, 0))
        self.assertEqual(records, undelivered)
        # A file can be asked again: the next run delivers all of it.
        log = self.path("out.jsonl")
        again = self.graph({"in": fault.file_source(self.path("in.jsonl"), checkpoint=self.path("checkpoint"),
                                                    stop_at_end=True)},
                           {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": log}}}, name="again.yaml")
        ended = self.run_to_end(again)
        self.assertEqual(ended.returncode, 0, ended.stdout)
        self.compare(self.path("in.jsonl"), log, 0)

    def test_second_signal(self):
        """A second signal: the process ends at once with 1, when the drain would take an hour."""
        config = self.graph({"in": fault.file_source(self.events(EVENTS))},
                            {"out": slow(["in"], latency="1h", in_flight=2000)}, drain_deadline="1h")
        host = self.loaded(config)
        host.process.send_signal(signal.SIGTERM)
        host.wait_for_line("Stopping")
        self.assertIsNone(host.process.poll())
        host.process.send_signal(signal.SIGINT)
        self.assertEqual(host.wait(), 1, host.text())
        self.assertTrue(host.lines("Second signal"), host.text())

    def test_standard_input(self):
        """Standard input: delivered and undelivered together are what went in, when the deadline passes."""
        undelivered, log = self.path("undelivered.jsonl"), self.path("out.jsonl")
        config = self.graph({"in": {"class": "stdin"}},
                            {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": log},
                                     "delivery": {"rate_limit": "1000/s", "queue": {"max_events": 4096}}}},
                            drain_deadline="200ms", undelivered=undelivered)
        sent = self.events(8000)
        with open(sent, "rb") as lines:
            host = self.keep(support.Process([support.SLUICE, "run", config], self.folder, "sluice", stdin=lines))
        wait_for(lambda: os.path.exists(log) and os.path.getsize(log) > 0, lambda: "the first events:\n" + host.text())
        host.process.send_signal(signal.SIGTERM)
        self.assertEqual(host.wait(), 1, host.text())
        self.assertTrue(host.lines("Undelivered events are kept in a file"), host.text())
        records, delivered, _, _, left = summary_row(host.text(), "in")
        self.assertEqual(records, delivered + left)
        both = self.path("both.jsonl")
        with open(both, "wb") as out:
            for part in (log, undelivered):
                with open(part, "rb") as lines:
                    content = lines.read()
                self.assertGreater(len(content), 0, part)
                out.write(content)
        # What was never taken in stays in the pipe or file: the sender can see how far it was read.
        taken = self.path("taken.jsonl")
        with open(sent, "rb") as lines, open(taken, "wb") as out:
            out.writelines(line for _, line in zip(range(records), lines))
        self.compare(taken, both, 0)

    def test_closed_output(self):
        """SIGPIPE: the host lives on and says what happened, when the reader of its standard output is gone."""
        config = self.graph({"in": fault.file_source(self.events(EVENTS), stop_at_end=True)},
                            {"out": {"class": "stdout", "inputs": ["in"]}}, drain_deadline="1s")
        read_end, write_end = os.pipe()
        process = subprocess.Popen([str(support.SLUICE), "run", str(config)], stdin=subprocess.DEVNULL, stdout=write_end,
                                   stderr=subprocess.PIPE, text=True, cwd=self.folder, env=support.environment())
        os.close(write_end)
        os.read(read_end, 1000)
        os.close(read_end)
        _, said = process.communicate(timeout=support.PATIENCE_S)
        self.assertEqual(process.returncode, 1, said)  # not -SIGPIPE, and not 0: events were left
        records, delivered, _, _, undelivered = summary_row(said, "in")
        self.assertEqual(records, delivered + undelivered)
        self.assertGreater(undelivered, 0)

    def test_closed_log(self):
        """SIGPIPE: everything is still delivered, when the reader of the log on standard error is gone."""
        log = self.path("out.jsonl")
        config = self.graph({"in": fault.file_source(self.events(EVENTS), stop_at_end=True)},
                            {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": log}}},
                            log={"level": "debug"})
        read_end, write_end = os.pipe()
        os.close(read_end)
        process = subprocess.Popen([str(support.SLUICE), "run", str(config)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=write_end, cwd=self.folder, env=support.environment())
        os.close(write_end)
        self.assertEqual(process.wait(timeout=support.PATIENCE_S), 0)
        self.compare(self.path("in.jsonl"), log, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
