"""Data compared with its schema in a whole host: the shipped example, what is diverted, a halt, and a schema that is none."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from support import PATIENCE_S, ROOT, SLUICE, environment

GOOD = {"run_id": "r1", "fields": {"name": "Quercus"}, "confidence": 0.9}
TYPE = "specimen.completed"


def event(number, data, **more):
    return {"specversion": "1.0", "id": str(number), "source": "/lab", "type": TYPE, "data": data} | more


def misfit(number):
    return event(number, GOOD | {"confidence": 7})


class JsonSchema(unittest.TestCase):
    def setUp(self):
        self.kept = tempfile.TemporaryDirectory()
        self.addCleanup(self.kept.cleanup)
        self.folder = pathlib.Path(self.kept.name)
        (self.folder / "config").symlink_to(ROOT / "config")

    def run_host(self, config, events, *sets):
        arguments = [SLUICE, "run", config]
        for each in sets:
            arguments += ["--set", each]
        return subprocess.run([str(part) for part in arguments], input="".join(json.dumps(each) + "\n" for each in events),
                              text=True, capture_output=True, timeout=PATIENCE_S, cwd=self.folder, env=environment())

    def written(self, name):
        file = self.folder / "out" / name
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def test_the_example_parts_a_thousand_events_and_gives_each_misfit_its_reason(self):
        events = [misfit(i) if i % 2 else event(i, GOOD) for i in range(1000)]
        events.append(event("by-schema", {}, type="other", dataschema="https://example.com/schemas/specimen/1"))
        ran = self.run_host("config/examples/json_schema.yaml", events)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual([each["id"] for each in self.written("specimens.jsonl")], [str(i) for i in range(0, 1000, 2)])
        bad = self.written("misfits.jsonl")
        self.assertEqual([each["id"] for each in bad], [str(i) for i in range(1, 1000, 2)] + ["by-schema"])
        self.assertIn("specimen.completed.json: /confidence: ", bad[0]["schemaerror"])
        self.assertIn("Missing required property", bad[-1]["schemaerror"])
        self.assertEqual(bad[0]["data"], misfit(1)["data"])

    def test_what_is_diverted_leaves_by_the_port_unchanged(self):
        config = self.folder / "divert.yaml"
        config.write_text("""
sluice: 1
sources: { in: { class: stdin } }
consumers:
  shape:
    class: json_schema
    inputs: [in]
    config: { types: { specimen.completed: config/examples/schemas/specimen.completed.json }, on_invalid: divert }
backends:
  good: { class: event_log, inputs: [shape], config: { path: out/good.jsonl } }
  bad: { class: event_log, inputs: [shape.invalid], config: { path: out/bad.jsonl } }
""")
        ran = self.run_host(config, [event(1, GOOD), misfit(2), event(3, GOOD)])
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual([each["id"] for each in self.written("good.jsonl")], ["1", "3"])
        self.assertEqual(self.written("bad.jsonl"), [misfit(2)])

    def test_a_halt_ends_the_run_with_three_and_names_the_event(self):
        ran = self.run_host("config/examples/json_schema.yaml", [event(1, GOOD), misfit(2), event(3, GOOD)],
                            "consumers.shape.config.on_invalid=halt")
        self.assertEqual(ran.returncode, 3, ran.stderr)
        self.assertIn("event 2 of /lab: data does not fit", ran.stderr)
        self.assertEqual([each["id"] for each in self.written("specimens.jsonl")], ["1"])

    def test_a_schema_that_is_none_is_refused_before_anything_runs(self):
        (self.folder / "wrong.json").write_text('{"properties": {"a": {"type": "strnig"}}}')
        ran = self.run_host("config/examples/json_schema.yaml", [event(1, GOOD)],
                            "consumers.shape.config.folder=.")
        self.assertEqual(ran.returncode, 78, ran.stderr)
        self.assertIn("wrong.json: #/properties/a/type names no type of JSON", ran.stderr)
        self.assertEqual(self.written("specimens.jsonl"), [])


if __name__ == "__main__":
    unittest.main()
