"""`sluice schema check` asks a registry whether a schema may become the next version of a subject."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from support import PATIENCE_S, SLUICE, environment
from servers.schema_registry import Server
from servers.tls import Certificates

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
        more = [str(each) for each in more]
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

    def test_a_registry_that_asks_who_it_is_over_tls(self):
        folder = self.file.parent
        made = Certificates(folder / "tls")
        keys = (made.server.certificate, made.server.key)
        secret, empty = folder / "secret", folder / "empty"
        empty.write_text("\n")
        for server, login in (
                (Server(auth=("ci", "only-for-tests"), tls=keys), ("--user", "ci", "--password-file", secret)),
                (Server(token="only-for-tests", tls=keys), ("--token-file", secret))):
            with self.subTest(login=login[0]):
                self.addCleanup(server.stop)
                server.start().register(SUBJECT, json.dumps(OLD))
                trusts = ("--ca", made.authority)
                secret.write_text("only-for-tests\n")
                ran = self.check(OLD, *login, *trusts, url=server.url)
                self.assertEqual(ran.returncode, 0, ran.stderr)
                self.assertTrue(json.loads(ran.stdout)["compatible"])
                secret.write_text("wrong-and-secret")
                for ran, part in ((self.check(OLD, *login, *trusts, url=server.url), "--password-file"),
                                  (self.check(OLD, *trusts, url=server.url), "answers 401"),
                                  (self.check(OLD, *login, url=server.url), "does not answer"),
                                  (self.check(OLD, *login, "--ca", made.unknown.certificate, url=server.url), "does not answer"),
                                  (self.check(OLD, *login[:-1], empty, *trusts, url=server.url), "empty"),
                                  (self.check(OLD, *login[:-1], folder / "none", *trusts, url=server.url), "cannot read")):
                    self.assertEqual(ran.returncode, 64, ran.stdout + ran.stderr)
                    self.assertIn(part, ran.stderr)
                    self.assertNotIn("wrong-and-secret", ran.stdout + ran.stderr)

    def test_logins_that_contradict_each_other_are_refused(self):
        secret = self.file.parent / "secret"
        secret.write_text("x")
        for login, part in ((("--password-file", secret), "--user"),
                            (("--user", "ci", "--token-file", secret), "not both")):
            ran = self.check(OLD, *login)
            self.assertEqual(ran.returncode, 64)
            self.assertIn(part, ran.stderr)


if __name__ == "__main__":
    unittest.main()
