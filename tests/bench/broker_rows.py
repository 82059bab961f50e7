"""Rows that publish to a server, which counts what it got."""
import os

import measure
from row import Row, Side, Void, must_equal

REDIS_WINDOW = "256"
NATS_WINDOW = "1024"
RABBITMQ_WINDOW = "1000"


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
    """Nobody listens: what arrived is counted by the server. The host sends a small message more now and then."""

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
    """The server works on after a run (its files, its garbage), and its first thousands are slow: each side begins when it
    has nothing left to do, and one run that does not count goes before all."""

    events_max = 100_000

    def start_cost(self, suite):
        measure.run(self.bare_command(suite))
        self.check(suite)
        return super().start_cost(suite)

    def run_host(self, suite, input_path):
        suite.rabbitmq().rest()
        return super().run_host(suite, input_path)

    def bare(self, suite):
        suite.rabbitmq().rest()
        return super().bare(suite)

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
