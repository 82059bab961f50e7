"""Every YAML block of the requirement documents, as it stands there: it passes `sluice check`, it becomes the graph that is
written down in dialect_blocks/, and no scalar of it is passed over in silence. The documents are read when they are beside
the checkout (or where SLUICE_REQUIREMENTS says); without them there is nothing to test.

After a change that is meant, dialect_blocks.py --write writes the expectations anew: read the difference."""

import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap
import unittest

import yaml

import support

DOCUMENTS = pathlib.Path(os.environ.get("SLUICE_REQUIREMENTS", support.ROOT.parent / "shared" / "requirements"))
NAMES = ("event-publishing-usage.md", "inter-stage-communication.md", "stage1-stage2-integration.md")
EXPECTED = support.SCENARIOS / "dialect_blocks"
OURS = ("events", "event_consumer", "sluice")
SECTIONS = ("redis_streams", "kafka", "nats", "rabbitmq", "webhook")
PARTS = SECTIONS + ("publish_events", "monitoring")
# What the blocks refer to, and a machine's name that is the same everywhere.
VARIABLES = {"WEBHOOK_API_KEY": "key", "WEBHOOK_API_KEYx": "key2", "KAFKA_USERNAME": "user", "KAFKA_USERNAMEx": "user2",
             "KAFKA_PASSWORD": "pass", "KAFKA_PASSWORDx": "pass2", "HOSTNAME": "worker-1", "HOSTNAMEx": "worker-2"}
HANDLER = {"class": "webhook", "config": {"url": "http://127.0.0.1:9/handler"}}
OTHER_WORD = {"exponential": "linear", "INFO": "DEBUG", "DEBUG": "ERROR", "redis_streams": "webhook", "webhook": "redis_streams",
              "kafka": "webhook", "BACKWARD": "FULL", "nats": "webhook", "rabbitmq": "webhook", "gzip": "lz4", "topic": "fanout",
              "SASL_SSL": "SASL_PLAINTEXT", "SCRAM-SHA-256": "SCRAM-SHA-512"}


# The documents' own words, and ours beside them. What else a class can be told has its default and tests of its own.
WORDS = set("""url urls headers timeout_seconds verify_ssl stream_name max_len ttl_seconds connection_pool bootstrap_servers topic
    compression_type acks max_in_flight_requests client_id security_protocol sasl_mechanism sasl_username sasl_password servers
    subject jetstream stream exchange exchange_type routing_key durable listen path source_stream consumer_group consumer_name
    batch_size poll_interval_ms process_backlog backlog_batch_size backlog_max_age_hours process batch state registry
    on_unavailable""".split())
LINES = ("when_full:", "retry:", "dead_letter:", "max_in_flight:", "class:", "inputs:", "acknowledge:", "when:", "redact:", "required:",
         "config:", "dedup:", "admin:", "log:", "format:")


def outline(graph):
    """Of a graph's text what the settings decide: nodes, edges, delivery, and the documents' words of each config."""
    kept = []
    for line in graph.splitlines():
        if re.match(r"\w+:$|  [\w-]+:$", line):  # a section, a node
            kept.append(line)
        if not line.strip().startswith(LINES):
            continue
        line = re.sub(r"  # max_age.*", "", line)
        line = re.sub(r"\{\".*\}(?=\}\}$)|(?<=config: )\{.*\}(?=  #|$)", lambda json_text: words_of(json_text.group()), line)
        kept.append(line)
    return "\n".join(kept) + "\n"


def words_of(text):
    config = json.loads(text)
    return json.dumps({key: value for key, value in config.items() if key in WORDS})


def blocks_of(text):
    """The fenced YAML blocks of a document, each without the indentation of the list it stands in."""
    return [textwrap.dedent(block) for block in re.findall(r"^[ \t]*```yaml[ \t]*\n(.*?)^[ \t]*```", text, re.S | re.M)]


class Block:
    def __init__(self, name, text):
        self.name, self.text = name, text
        self.tree = yaml.safe_load(text)

    @property
    def ours(self):
        return any(key in self.tree for key in OURS)

    @property
    def part(self):
        return not self.ours and all(key in PARTS for key in self.tree)

    def variants(self):
        """The block itself; and what makes it do something: a part below events:, a section enabled, a handler."""
        yield self.name, self.tree
        if self.part:
            section = next((key for key in self.tree if key in SECTIONS), "redis_streams")
            yield self.name + "-in-events", {"events": {"enabled": True, "backend": section} | self.tree}
        for section in ("events", "event_consumer"):
            if section in self.tree and not self.tree[section].get("enabled"):
                yield self.name + "-enabled", self.tree | {section: self.tree[section] | {"enabled": True}}
        consumer = self.tree.get("event_consumer")
        if consumer is not None:
            yield self.name + "-handled", {"event_consumer": consumer | {"enabled": True, "handler": HANDLER}}


def all_blocks():
    for name in NAMES:
        for number, text in enumerate(blocks_of((DOCUMENTS / name).read_text()), 1):
            yield Block("%s-%02d" % (name[:-3], number), text)


def scalars(tree, path=()):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from scalars(value, path + (key,))
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from scalars(value, path + (number,))
    elif tree is not None:
        yield path, tree


def other(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1 if value >= 0 else value - 1
    if value in OTHER_WORD:
        return OTHER_WORD[value]
    return value[:-1] + "x}" if value.startswith("${") else value + "x"


def changed(tree, path, whole=()):
    if not path:
        # In a list of two backends one may not become the other.
        return "kafka" if whole[:2] == ("events", "backends") else other(tree)
    if isinstance(tree, dict):
        return tree | {path[0]: changed(tree[path[0]], path[1:], whole or path)}
    return tree[:path[0]] + [changed(tree[path[0]], path[1:], whole or path)] + tree[path[0] + 1:]


def dotted(path):
    return "".join("[%d]" % step if isinstance(step, int) else "." + step for step in path).lstrip(".")


class Blocks(support.Scenario):
    def setUp(self):
        if not DOCUMENTS.is_dir():
            self.skipTest("the requirement documents are not beside the checkout")
        super().setUp()

    def sluice(self, command, text):
        path = self.folder / "settings.yaml"
        path.write_text(text)
        return subprocess.run([support.SLUICE, *command, path], text=True, capture_output=True, cwd=self.folder,
                              timeout=support.PATIENCE_S, env=support.environment(**VARIABLES))

    def check(self, text):
        """(exit code, what it says, without the file's name)"""
        ran = self.sluice(["check"], text)
        return ran.returncode, ran.stdout.replace(str(self.folder / "settings.yaml"), "settings.yaml")

    def graph(self, text):
        """The nodes, without the lines they came from."""
        ran = self.sluice(["graph", "--format", "text"], text)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return self.nodes_of(ran.stdout)

    @staticmethod
    def nodes_of(graph):
        kept = [line for line in graph.splitlines() if not line.startswith(("plugins:", "# /"))]
        return re.sub(r"  # line \d+$", "", "\n".join(kept), flags=re.M) + "\n"

    def test_the_documents_have_as_many_blocks_as_we_know(self):
        counts = [sum(block.name.startswith(name[:-3]) for block in all_blocks()) for name in NAMES]
        self.assertEqual(counts, [19, 12, 6])

    def test_every_block_passes_check_as_it_stands(self):
        for block in all_blocks():
            with self.subTest(block.name):
                code, said = self.check(block.text)
                self.assertEqual(code, 0, said)
                if block.part:
                    self.assertIn("has no effect here: it belongs below events:", said)

    def test_every_block_becomes_the_graph_that_is_written_down(self):
        seen = set()
        for block in all_blocks():
            for name, tree in block.variants():
                with self.subTest(name):
                    text = yaml.safe_dump(tree, sort_keys=False)
                    code, said = self.check(text)
                    self.assertEqual(code, 0, said)
                    notes = re.sub(r"settings\.yaml:\d+:\d+: ", "", said)
                    found = "check says:\n" + textwrap.indent(notes, "  ") + outline(self.graph(text))
                    seen.add(name + ".txt")
                    expected = EXPECTED / (name + ".txt")
                    if "--write" in sys.argv:
                        expected.write_text(found)
                    self.assertEqual(found, expected.read_text())
        self.assertEqual(seen, {path.name for path in EXPECTED.iterdir()})

    def test_every_scalar_changes_the_graph_or_check_says_why_it_has_no_effect(self):
        tried = 0
        for block in all_blocks():
            for name, tree in block.variants():
                before = self.graph(yaml.safe_dump(tree, sort_keys=False))
                for path, value in scalars(tree):
                    tried += 1
                    where = dotted(path)
                    with self.subTest(name, path=where):
                        text = yaml.safe_dump(changed(tree, path), sort_keys=False)
                        ran = self.sluice(["graph", "--format", "text"], text)
                        if ran.returncode == 0 and self.nodes_of(ran.stdout) != before:
                            continue  # it shows
                        said = self.check(text)[1]
                        explained = any(self.explains(line, where) for line in said.splitlines())
                        self.assertTrue(explained, "%s = %r\n%s" % (where, other(value), said))
        self.assertGreater(tried, 300)

    @staticmethod
    def explains(line, where):
        """A note that a value, or the section it is in, has no effect; or an error that names it."""
        match = re.match(r"settings\.yaml(?::\d+:\d+)?: (?:(?!note: )([\w\-.\[\]]+): )?(?:note: )?(.*)", line)
        if not match:
            return False
        path, text = match.groups()
        if path is None:
            return "nothing is published" in text
        return where == path or where.startswith((path + ".", path + "["))


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=[argument for argument in sys.argv if argument != "--write"])
