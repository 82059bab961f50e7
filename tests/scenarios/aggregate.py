#!/usr/bin/python3
"""Figures over windows in a whole host: at /metrics, as events in a log, as an alert, as rows of a table; and settings that
do not go together, found by `sluice check` at their line."""

import json
import re
import sqlite3
import subprocess

from support import ROOT, SLUICE, Recorder, Scenario, environment, main, wait_for

EXAMPLE = ROOT / "config" / "examples" / "aggregate.yaml"
CONFIG = """
sluice: 1
sources: { door: { class: http } }
consumers:
  load:
    class: aggregate
    inputs: [door]
    config:
      window: 1s
      label: { name: lab, from: /lab, values_max: 1 }
      fields: [{ pointer: /took_ms, name: took }]
      emit: { type: lab.load }
  slow:
    class: alert_webhook
    inputs: [load]
    config:
      url: RECEIVER
      state: none
      group_wait: 0s
      rules:
        - name: slow
          when: { types: [lab.load] }
          if: ["/fields/took/p95 > 20000"]
          title: "p95 is {{data.fields.took.p95}} ms"
backends:
  log: { class: event_log, inputs: [load], config: { path: out/log.jsonl } }
"""
REFUSED = """sluice: 1
sources: { in: { class: stdin } }
consumers:
  load:
    class: aggregate
    inputs: [in]
    config:
      window: 10s
      %s
backends: { out: { class: stdout, inputs: [load] } }
"""


class Aggregate(Scenario):
    def windows(self, lab):
        file = self.folder / "out" / "log.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [each for each in map(json.loads, lines) if each["type"] == "lab.load" and each["data"]["lab"] == lab]

    def test_a_window_is_shown_and_told_and_brings_about_an_alert(self):
        receiver = Recorder()
        self.addCleanup(receiver.end)
        config = self.folder / "load.yaml"
        config.write_text(CONFIG.replace("RECEIVER", receiver.url))
        host = self.host(config, dialect="native")
        for number, lab in enumerate(["north", "north", "south", "east"]):
            posted = host.post({"specversion": "1.0", "id": str(number), "source": "/lab", "type": "sample.done",
                                "data": {"lab": lab, "took_ms": 100 * 15 ** number}})
            self.assertEqual(posted[0] // 100, 2, posted)
        # Windows of a second may part the events; what is told of them adds up.
        wait_for(lambda: sum(each["data"]["count"] for each in self.windows("north") + self.windows("other")) == 4,
                 lambda: "the windows, in " + host.text())
        told = self.windows("other")[-1]
        self.assertEqual((told["source"], told["data"]["seconds"], told["data"]["type"]), ("/sluice/load", 1, "sample.done"))
        self.assertEqual(told["data"]["fields"]["took"]["max"], 337500)
        self.assertAlmostEqual(told["data"]["fields"]["took"]["p99"], 337500, delta=337500 / 64)
        wait_for(lambda: any(b"p95 is" in body for _, _, body in receiver.requests), "the alert")
        page = host.page("/metrics")[1]
        series = r'\{[^}]*lab="north"[^}]*\}'
        self.assertRegex(page, r"(?m)^# TYPE sluice_window_field_quantile gauge$")
        for name in ("events", "events_per_second", "field_values", "field_mean"):
            self.assertTrue(re.search("(?m)^sluice_window_%s%s " % (name, series), page), page)
        for share in ("0.5", "0.95", "0.99"):
            self.assertIn('quantile="%s"' % share, page)
        self.assertRegex(page, r'(?m)^sluice_window_other_total\{node="load"\} 2$')
        self.assertEqual(len(host.lines("counted as other")), 1, host.text())

    def test_the_example_tells_windows_by_event_time_and_keeps_them_as_rows(self):
        events = subprocess.run([ROOT / "packaging" / "extraction-events", "healthy"], capture_output=True, text=True,
                                check=True).stdout
        ran = self.run_sluice("run", EXAMPLE, stdin=events, EXTRACTION_DB="sqlite:windows.db", EXTRACTION_OUTPUT=self.folder)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        lines = map(json.loads, (self.folder / "windows.jsonl").read_text().splitlines())
        windows = [each["data"] for each in lines if each["type"] == "metrics.window"]
        self.assertEqual(len(windows), 42)
        self.assertEqual((windows[1]["start"], windows[1]["end"], windows[1]["count"]),
                         ("2025-10-10T12:00:00.000Z", "2025-10-10T12:01:00.000Z", 2))
        database = sqlite3.connect(self.folder / "windows.db")
        self.addCleanup(database.close)
        rows = database.execute("SELECT ended, type, events FROM extraction_windows").fetchall()
        self.assertEqual(sorted(rows), sorted((each["end"], each["type"], each["count"]) for each in windows))

    def test_check_refuses_settings_that_do_not_go_together_at_their_line(self):
        path = self.folder / "refused.yaml"
        for line, wanted in (("slide: 3s", "multiple"), ("lateness: 1s", "time: event"),
                             ("emit: { interval: 15s }", "multiple of the slide"),
                             ("label: { name: type, from: /t }", "what the figures themselves use"),
                             ("quantiles: [0.5, 1.5]", "1.5"), ("window_max: 3", "window_max")):
            path.write_text(REFUSED % line)
            ran = subprocess.run([SLUICE, "check", path], capture_output=True, text=True, timeout=30, env=environment())
            self.assertEqual(ran.returncode, 78, ran.stdout + ran.stderr)
            self.assertRegex(ran.stdout + ran.stderr, r"refused\.yaml:9:\d+:.*" + wanted)


if __name__ == "__main__":
    main()
