"""`sluice schema check` asks a registry whether a schema may become the next version of a subject."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from support import PATIENCE_S, SLUICE, environment
from servers.schema_registry import Server

OLD = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
SUBJECT = "orders/v 1"  # a name that must be escaped in a path


class SchemaCheck(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.file = pathlib.Path(kept.name) / "order.json"
        self.registry = Server().start()
        self.addCleanup(self.registry.stop)
        self.registry.register(SUBJECT, json.dumps(OLD))

    def check(self, schema, *more, subject=SUBJECT, url=None):
        self.file.write_text(schema if isinstance(schema, str) else json.dumps(schema))
        return subprocess.run([SLUICE, "schema", "check", self.file, "--subject", subject, *more], text=True,
                              capture_output=True, timeout=PATIENCE_S,
                              env=environment(SCHEMA_REGISTRY_URL=url or self.registry.url + "/"))

    def test_a_schema_that_only_adds_what_may_be_missing_is_compatible(self):
        ran = self.check(OLD | {"properties": OLD["properties"] | {"more": {"type": "string"}}})
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(json.loads(ran.stdout),
                         {"subject": SUBJECT, "version": "latest", "compatible": True, "messages": []})

    def test_a_schema_that_asks_for_more_is_not_and_the_registry_says_why(self):
        self.registry.register(SUBJECT, json.dumps(OLD | {"required": ["n", "more"]}))
        newest = OLD | {"required": ["n", "more"]}
        self.assertEqual(self.check(newest).returncode, 0)
        ran = self.check(newest, "--version", "1")
        self.assertEqual(ran.returncode, 1, ran.stderr)
        self.assertEqual(json.loads(ran.stdout)["messages"], ["REQUIRED_ATTRIBUTE_ADDED at #/required: more"])

    def test_what_cannot_be_asked_ends_with_64_and_says_so(self):
        for ran, part in ((self.check(OLD, subject="nobody"), "Subject 'nobody' not found."),
                          (self.check(OLD, "--version", "9"), "Version 9 not found."), (self.check("{"), "Invalid schema"),
                          (self.check(OLD, url="http://127.0.0.1:1"), "does not answer"),
                          (self.check(OLD, "--type", "XML"), "--type")):
            self.assertEqual(ran.returncode, 64, ran.stdout + ran.stderr)
            self.assertIn(part, ran.stderr)


if __name__ == "__main__":
    unittest.main()
