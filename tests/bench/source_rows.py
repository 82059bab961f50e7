"""Rows that read from a server, which says what was acknowledged."""
import measure
from broker_rows import REDIS_WINDOW
from row import Row, must_equal


class KafkaSource(Row):
    """The topic is filled once; each side reads it as a new group."""

    groups = 0

    def topic(self, suite, lines):
        name = "one" if lines == suite.one_event else "all"
        suite.kafka().fill(name, suite.client("bare_kafka_pub"), lines)
        return name

    def group(self):
        self.groups += 1
        return f"group-{self.groups}"

    def run_host(self, suite, input_path):
        environment = {"BENCH_SERVERS": suite.kafka().url, "BENCH_TOPIC": self.topic(suite, input_path),
                       "BENCH_GROUP": self.group()}
        return measure.run([suite.sluice, "run", suite.config(self.config), "--set",
                            f"plugins.path=[{suite.plugins}]"], environment)

    def bare_command(self, suite):
        return [suite.client("bare_kafka_read"), suite.kafka().url, self.topic(suite, suite.input), self.group(),
                str(suite.events)]

    def check(self, suite):
        must_equal("kafka: committed", suite.kafka().committed("all", f"group-{self.groups}"), suite.events)


class RedisSource(Row):
    """The stream is filled once; each side reads it as a new group."""

    def stream(self, suite, lines):
        name = "one" if lines == suite.one_event else "all"
        if suite.redis().cli("EXISTS", name) == "0":
            suite.redis().fill(name, lines, suite.events)
        return name

    def run_host(self, suite, input_path):
        environment = {"BENCH_PORT": str(suite.redis().port), "BENCH_STREAM": self.stream(suite, input_path)}
        self.reset(suite)
        return measure.run([suite.sluice, "run", suite.config(self.config), "--set",
                            f"plugins.path=[{suite.plugins}]"], environment)

    def bare_command(self, suite):
        return [suite.client("bare_redis_read"), str(suite.redis().port), self.stream(suite, suite.input), "g", REDIS_WINDOW]

    def check(self, suite):
        lines = suite.redis().cli("--raw", "XINFO", "GROUPS", "all").split("\n")
        group = dict(zip(lines[::2], lines[1::2]))
        must_equal("redis: entries the group has read", int(group["entries-read"]), suite.events)
        must_equal("redis: entries that are not acknowledged", int(group["pending"]), 0)
        self.reset(suite)

    def reset(self, suite):
        for name in ("one", "all"):
            if suite.redis().cli("EXISTS", name) == "1":
                suite.redis().cli("XGROUP", "DESTROY", name, "g")
