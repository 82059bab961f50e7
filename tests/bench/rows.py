"""The rows: what the host is asked to do, what the bare client beside it does, and how a run shows that both did it.

A Row runs one side at a time: host(suite) and bare(suite) return events per second and CPU microseconds per event. A
side that did less than it was asked to ends the whole run with Void: numbers of different work are no comparison."""
import json
import os
import shutil
import statistics
from dataclasses import dataclass

import measure
from servers.slack import Server as Slack

REDIS_WINDOW = "256"
NATS_WINDOW = "1024"
RABBITMQ_WINDOW = "1000"
CONNECTIONS = "64"
BATCH = 100


class Void(SystemExit):
    """The two sides did not do the same."""


@dataclass
class Side:
    rate: float    # events per second
    cpu_us: float  # own CPU per event
    peak_mib: float = 0.0
    busy: float = 0.0


def must_equal(what, found, wanted):
    if found != wanted:
        raise Void(f"void: {what}: {found}, wanted {wanted}")


class Row:
    """name: for --only. target: the least ratio of the rates. broker: the CPU rule of saturated machines applies."""

    events_max = 1 << 62  # a slow server is not given more than this

    def __init__(self, name, title, against, target, config, modules, broker=False):
        self.name, self.title, self.against, self.target = name, title, against, target
        self.config, self.modules, self.broker = config, modules, broker

    def environment(self, suite):
        return {}

    def bare_command(self, suite):
        raise NotImplementedError

    def check(self, suite):
        """After each side."""

    def host_check(self, suite, cost):
        published = f"published {suite.events}, failed 0"
        if published not in cost.output:
            raise Void(f"void: {self.name}: the host did not say: {published}\n{cost.output}")

    def run_host(self, suite, input_path):
        environment = {"BENCH_INPUT": input_path, **self.environment(suite)}
        return measure.run([suite.sluice, "run", suite.config(self.config), "--set",
                            f"plugins.path=[{suite.plugins}]"], environment)

    def start_cost(self, suite):
        """What start and stop take by themselves: the same graph over one event. Taken off the host's time."""
        runs = [self.run_host(suite, suite.one_event) for _ in range(3)]
        self.reset(suite)
        return (statistics.median(run.seconds for run in runs), statistics.median(run.cpu for run in runs))

    def reset(self, suite):
        """Forget what a run that does not count left behind."""

    def host(self, suite, start):
        cost = self.run_host(suite, suite.input)
        self.host_check(suite, cost)
        self.check(suite)
        seconds, cpu = max(1e-9, cost.seconds - start[0]), max(0.0, cost.cpu - start[1])
        return Side(suite.events / seconds, cpu / suite.events * 1e6, cost.peak_mib, cost.machine_busy)

    def bare(self, suite):
        cost = measure.run(self.bare_command(suite))
        must_equal(f"{self.name}: events of the bare client", int(cost.result["events"]), suite.events)
        self.check(suite)
        return Side(suite.events / cost.result["seconds"], cost.result["cpu"] / suite.events * 1e6)


class Decode(Row):
    def host_check(self, suite, cost):
        super().host_check(suite, cost)
        if f"events: {suite.events} in" not in cost.output:
            raise Void(f"void: {self.name}: the metrics observer did not see every event\n{cost.output}")

    def bare_command(self, suite):
        return [suite.client("bare_parse"), suite.input]


class Schema(Row):
    """An event that does not fit is dropped by the host and ends the bare client: both must let all of them through."""

    def environment(self, suite):
        return {"BENCH_SCHEMAS": suite.schemas}

    def bare_command(self, suite):
        return [suite.client("bare_schema"), suite.input, suite.schemas]


class EventLog(Row):
    def environment(self, suite):
        return {"BENCH_OUTPUT": suite.path("out.jsonl")}

    def bare_command(self, suite):
        return [suite.client("bare_append"), suite.input, suite.path("out.jsonl")]

    def check(self, suite):
        must_equal("event_log: bytes in the file", suite.digest(suite.path("out.jsonl")), suite.digest(suite.input))
        self.reset(suite)

    def reset(self, suite):
        os.unlink(suite.path("out.jsonl"))
        os.sync()  # so that one side's unwritten pages do not slow down the other


class Spool(Row):
    """Both write to the same disk; the host's folder must be empty again, the bare client's file whole."""

    def environment(self, suite):
        return {"BENCH_SPOOL": suite.path("spool")}

    def bare_command(self, suite):
        return [suite.client("bare_sync_append"), suite.input, suite.path("synced.jsonl")]

    def check(self, suite):
        left = [name for name in os.listdir(suite.path("spool")) if ".seg" in name]
        must_equal("spool: segments that are left", left, [])
        if os.path.exists(suite.path("synced.jsonl")):
            must_equal("spool: bytes in the file", suite.digest(suite.path("synced.jsonl")), suite.digest(suite.input))
        self.reset(suite)

    def reset(self, suite):
        if os.path.exists(suite.path("synced.jsonl")):
            os.unlink(suite.path("synced.jsonl"))
        os.sync()


class RedisStreams(Row):
    def environment(self, suite):
        return {"BENCH_PORT": str(suite.redis().port)}

    def bare_command(self, suite):
        return [suite.client("bare_redis"), suite.input, str(suite.redis().port), REDIS_WINDOW]

    def check(self, suite):
        must_equal("redis: entries added", suite.redis().entries_added("ev"), suite.events)
        newest = suite.redis().cli("--raw", "XREVRANGE", "ev", "+", "-", "COUNT", "1").split("\n")
        must_equal("redis: the last entry", newest[1:], ["event", suite.last_line])
        if not 10000 <= int(suite.redis().cli("XLEN", "ev")) <= 10200:
            raise Void("void: redis: the stream was not trimmed to about 10000")
        self.reset(suite)

    def reset(self, suite):
        suite.redis().cli("DEL", "ev")


class SlackHangs(RedisStreams):
    """Both sides are the host: with a Slack that never answers, and without one. The wait for it at the end is taken off."""

    slack, bare_start = None, None

    def environment(self, suite):
        if self.slack is None:
            self.slack = Slack().start()
            self.slack.answer = "hang"
        with open(suite.input, encoding="utf-8") as lines:
            first = json.loads(lines.readline())["id"]
        return {**super().environment(suite), "BENCH_SLACK": self.slack.webhook_url, "BENCH_FIRST": first,
                "BENCH_ALERTS": suite.path("alerts")}

    def run_host(self, suite, input_path):
        shutil.rmtree(suite.path("alerts"), ignore_errors=True)  # else the next run would begin with what this one left
        return super().run_host(suite, input_path)

    def host_check(self, suite, cost):
        super().host_check(suite, cost)
        if "Alerts were not sent before the end" not in cost.output:
            raise Void(f"void: {self.name}: nothing waited for Slack\n{cost.output}")

    def bare(self, suite):
        alone = RedisStreams(self.name, self.title, self.against, self.target, "redis_streams.yaml", self.modules)
        self.bare_start = self.bare_start or alone.start_cost(suite)
        return alone.host(suite, self.bare_start)


class NatsStream(Row):
    """Both sides send a Nats-Msg-Id with each event: the server pays for it on both."""

    def environment(self, suite):
        return {"BENCH_PORT": str(suite.nats().port)}

    def bare_command(self, suite):
        return [suite.client("bare_nats"), "id", suite.input, str(suite.nats().port), NATS_WINDOW]

    def check(self, suite):
        must_equal(f"{self.name}: messages in the stream", suite.nats().length("EV"), suite.events)
        data, headers = suite.nats().last()
        must_equal(f"{self.name}: the last message", data, suite.last_line)
        if "Nats-Msg-Id: " not in headers:
            raise Void(f"void: {self.name}: the last message has no Nats-Msg-Id")
        self.reset(suite)

    def reset(self, suite):
        suite.nats().forget()


class NatsCore(NatsStream):
    """Nobody listens: what arrived is counted by the server. The host sends a small message more per batch."""

    seen = (0, 0)

    def run_host(self, suite, input_path):
        self.seen = suite.nats().taken()
        return super().run_host(suite, input_path)

    def bare(self, suite):
        self.seen = suite.nats().taken()
        return super().bare(suite)

    def bare_command(self, suite):
        return [suite.client("bare_nats"), "core", suite.input, str(suite.nats().port), NATS_WINDOW]

    def check(self, suite):
        messages, length = (now - before for now, before in zip(suite.nats().taken(), self.seen))
        if not suite.events <= messages <= 1.05 * suite.events or not suite.event_bytes <= length:
            raise Void(f"void: {self.name}: {messages} messages with {length} bytes, wanted {suite.events} with "
                       f"{suite.event_bytes}")

    def reset(self, suite):
        pass


class RabbitMQ(Row):
    events_max = 100_000

    def environment(self, suite):
        return {"BENCH_URL": suite.rabbitmq().url}

    def bare_command(self, suite):
        server = suite.rabbitmq()
        return [suite.client("bare_rabbit"), suite.input, str(server.port), server.user, server.password, RABBITMQ_WINDOW]

    def check(self, suite):
        messages, first = suite.rabbitmq().take_queue()
        must_equal("rabbitmq: messages in the queue", messages, suite.events)
        with open(suite.input, encoding="utf-8") as lines:
            must_equal("rabbitmq: the first message", first, lines.readline().rstrip("\n"))

    def reset(self, suite):
        suite.rabbitmq().take_queue()


class Kafka(Row):
    def environment(self, suite):
        return {"BENCH_SERVERS": suite.kafka().url}

    def bare_command(self, suite):
        return [suite.client("bare_kafka_pub"), suite.input, suite.kafka().url, "ev"]

    def check(self, suite):
        must_equal("kafka: messages in the topic", suite.kafka().length("ev"), suite.events)
        read = measure.run([suite.client("bare_kafka_read"), suite.kafka().url, "ev", "check", str(suite.events)]).result
        must_equal("kafka: messages with a content type", int(read["events"]), suite.events)
        must_equal("kafka: bytes of values", int(read["bytes"]), suite.event_bytes + suite.events)
        self.reset(suite)

    def reset(self, suite):
        suite.kafka().forget("ev")


class TwoBackends(Row):
    """Both sides are the host, and what is compared is CPU: "ev/s" in this row are events per second of CPU. The other
    side sends to one backend, then to the other, in two runs."""

    alone_starts = None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.alone = (RedisStreams("redis", "", "", 0, "redis_streams.yaml", ""), Kafka("kafka", "", "", 0, "kafka.yaml", ""))

    def environment(self, suite):
        return {key: value for row in self.alone for key, value in row.environment(suite).items()}

    def host_check(self, suite, cost):
        whole = [line for line in cost.output.splitlines() if line.split()[:3] in (["stream", str(suite.events), "0"],
                                                                                    ["topic", str(suite.events), "0"])]
        if len(whole) != 2:
            raise Void(f"void: {self.name}: not both published everything\n{cost.output}")

    def check(self, suite):
        for row in self.alone:
            row.check(suite)

    def reset(self, suite):
        for row in self.alone:
            row.reset(suite)

    def host(self, suite, start):
        both = super().host(suite, start)
        return Side(1e6 / both.cpu_us, both.cpu_us, both.peak_mib, both.busy)

    def bare(self, suite):
        if self.alone_starts is None:
            self.alone_starts = [row.start_cost(suite) for row in self.alone]
        cpu_us = sum(row.host(suite, start).cpu_us for row, start in zip(self.alone, self.alone_starts))
        return Side(1e6 / cpu_us, cpu_us)


class RedisPy(RedisStreams):
    """What the documents do today."""

    events_max = 100_000

    def bare_command(self, suite):
        return ["/usr/bin/python3", os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare", "redis_py.py"),
                suite.input, str(suite.redis().port)]


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


class Webhook(Row):
    def __init__(self, *arguments, batch=1, **more):
        super().__init__(*arguments, **more)
        self.batch = batch

    def environment(self, suite):
        return {"BENCH_URL": suite.nginx().url}

    def bare_command(self, suite):
        return [suite.client("bare_webhook"), suite.input, suite.nginx().url, CONNECTIONS, str(self.batch)]

    def check(self, suite):
        wanted = "application/cloudevents-batch+json" if self.batch > 1 else "application/cloudevents+json"
        seen = suite.nginx().take_log()
        if [key[0] for key in seen] != ["204"] or not list(seen)[0][1].startswith(wanted):
            raise Void(f"void: {self.name}: the server saw {seen}, wanted 204 and {wanted}")
        (requests, length), = seen.values()
        if self.batch == 1:
            must_equal(f"{self.name}: requests", requests, suite.events)
            must_equal(f"{self.name}: bytes of bodies", length, suite.event_bytes)
            return
        # Two brackets a request, a comma between its events: the rest must be the events' own bytes.
        must_equal(f"{self.name}: bytes of events", length - 2 * requests - (suite.events - requests), suite.event_bytes)
        least = -(-suite.events // self.batch)
        if not least <= requests <= least * 1.1 + 1:
            raise Void(f"void: {self.name}: {requests} requests for {suite.events} events, wanted about {least}")

    def reset(self, suite):
        suite.nginx().take_log()


ROWS = [
    Decode("null", "file → decode, validation, metrics → null", "each line parsed fully (DOM), attributes read", 0.8,
           "null.yaml", "bench file metrics validation"),
    Schema("schema", "file → json_schema → null", "RapidJSON and valijson over the same schemas", 0.8, "schema.yaml",
           "bench file validation"),
    EventLog("event_log", "file → event_log (no fsync)", "write() of the same lines in 1 MiB blocks", 0.6,
             "event_log.yaml", "file"),
    Spool("spool", "file → spool (group commit 10 ms) → null", "write() and fdatasync every 10 ms of the same lines", 0.7,
          "spool.yaml", "bench file"),
    RedisStreams("redis", "file → redis_streams", "hiredis, 256 in flight", 0.9, "redis_streams.yaml",
                 "file redis_streams", broker=True),
    SlackHangs("slack_hangs", "file → redis_streams, beside it a Slack that hangs", "the host without Slack", 0.95,
               "slack_hangs.yaml", "alerting file redis_streams"),
    NatsStream("nats", "file → nats, JetStream, file storage, 1024 in flight", "nats.c js_PublishAsync, the same", 0.9,
               "nats.yaml", "file nats", broker=True),
    NatsCore("nats_core", "file → nats, core", "nats.c publish and a flush", 0.7, "nats_core.yaml", "file nats",
             broker=True),
    RabbitMQ("rabbitmq", "file → rabbitmq, persistent, bulk confirms", "librabbitmq, same confirm window", 0.9,
             "rabbitmq.yaml", "file rabbitmq", broker=True),
    Kafka("kafka", "file → kafka, acks=all, lz4", "librdkafka producer, the same", 0.9, "kafka.yaml", "file kafka",
          broker=True),
    KafkaSource("kafka_source", "kafka source → null", "librdkafka consumer, batches of 256, commits", 0.85,
                "kafka_source.yaml", "bench kafka", broker=True),
    RedisSource("redis_source", "redis_streams source → null", "hiredis, XREADGROUP COUNT 256 + XACK", 0.85,
                "redis_source.yaml", "bench redis_streams", broker=True),
    TwoBackends("two", "file → redis_streams and kafka at once, by CPU", "each alone, the sum of their CPU", 0.9, "two.yaml",
                "file kafka redis_streams"),
    RedisPy("redis_py", "file → redis_streams, beside what the documents do", "redis-py, one xadd after the other", 20, "redis_streams.yaml",
            "file redis_streams"),
    Webhook("webhook", "file → webhook, one event per request, 64 connections", "libcurl multi, 64 connections", 0.9,
            "webhook.yaml", "file http", broker=True),
    Webhook("batched", "file → webhook, batched by 100", "libcurl multi, the same batches", 0.8,
            "webhook_batched.yaml", "file http", broker=True, batch=BATCH),
]
