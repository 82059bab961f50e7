"""The ends of a pair: every durable source and every backend with its real server, for tests that kill the host or the
server. An end says how a graph names it, how it is filled, when it is read to its end, and what arrived there, by another
client than the host's.

The windows are set here, to more than the 1,000 events that must be in flight at a kill."""
import asyncio
import json
import re
import socket
import sys
import threading

import fault
from fault import support, wait_for

sys.path.insert(0, str(fault.TESTS))
from servers import kafka, nats, rabbitmq, redis  # noqa: E402

WINDOW = 4096            # events that a backend or a source may hold
RATE = 2_000             # events per second to the backend, so that the source runs ahead on a busy machine, too
REST_MS = 100            # kafka: commit_interval; file: checkpoint_interval
BATCH = 512              # what a source takes at once
ANSWER_S = 60            # one answer of a server on a machine with other work


class End:
    """One stream, topic or queue. `server` is shared by all ends of its kind."""
    durable_source = True
    Server = None
    stop_at_end = False      # its source ends the host when everything is read and settled
    window = WINDOW + BATCH  # what one kill may bring twice, where the server counts what it has handed out

    def __init__(self, server, folder, name):
        self.server, self.folder, self.name = server, folder, name

    def prepare(self):
        """Makes what must be there before the host is."""

    def fill(self, case, events):
        """Puts the events there, by a host that runs to its end."""
        self.prepare()
        ended = case.run_to_end(case.graph({"in": fault.file_source(events, stop_at_end=True)},
                                           {"out": {**self.backend(), "inputs": ["in"]}}, name="fill.yaml"))
        case.assertEqual(ended.returncode, 0, ended.stdout)

    def left(self):
        """Events that are waiting, or handed out and not settled, by the server's word; only without `stop_at_end`."""
        raise NotImplementedError

    def is_read(self, host, left):
        """The host has settled them."""
        return self.left() == 0


class File(End):
    stop_at_end = True
    window = WINDOW + BATCH + RATE * 3 * REST_MS // 1000  # and what was settled after the last checkpoint

    def fill(self, case, events):
        self.events = events

    def source(self):
        return fault.file_source(self.events, checkpoint=str(self.folder / "checkpoint"),
                                 checkpoint_interval=f"{REST_MS}ms")


class EventLog(End):
    durable_source = False

    def backend(self):
        self.path = str(self.folder / "log.jsonl")
        return {"class": "event_log", "config": {"path": self.path}}

    def write_lines(self, path):
        return self.path


class RedisStreams(End):
    Server = redis.Server  # appendonly yes, appendfsync always
    stop_at_end = True

    def backend(self):
        return {"class": "redis_streams", "config": {
            "url": self.server.url, "stream_name": self.name, "max_len": 0, "ttl_seconds": 0, "window": WINDOW,
            "connection_pool": {"timeout": ANSWER_S}}}

    def source(self):
        return {"class": "redis_streams", "config": {
            "url": self.server.url, "source_stream": self.name, "consumer_group": "killed", "consumer_name": "one",
            "max_in_flight": WINDOW, "max_deliveries": 0, "retry_after": "1s", "timeout": f"{ANSWER_S}s"}}

    def write_lines(self, path):
        client, last = self.server.client(), "-"
        with open(path, "wb") as out:
            while entries := client.xrange(self.name, last, "+", count=5000):
                out.writelines(fields[b"event"] + b"\n" for _, fields in entries)
                last = b"(" + entries[-1][0]
        return path


class Kafka(End):
    Server = kafka.Server
    stop_at_end = True
    window = WINDOW + BATCH + RATE * 3 * REST_MS // 1000  # and what was settled after the last commit

    def prepare(self):
        self.server.create_topic(self.name)

    def backend(self):  # acks: all, since it is left out
        return {"class": "kafka", "config": {"bootstrap_servers": self.server.url, "topic": self.name, "window": WINDOW}}

    def source(self):
        # A static member is not waited for when it comes back before its session is over.
        return {"class": "kafka", "config": {
            "bootstrap_servers": self.server.url, "topics": self.name, "group_id": self.name,
            "commit_interval": f"{REST_MS}ms", "properties": {"group.instance.id": "one"}}}

    def write_lines(self, path):
        from kafka import TopicPartition
        consumer, part = self.server.consumer(), TopicPartition(self.name, 0)
        consumer.assign([part])
        end = consumer.end_offsets([part])[part]
        consumer.seek_to_beginning(part)
        with open(path, "wb") as out:
            while consumer.position(part) < end:
                for messages in consumer.poll(timeout_ms=1000).values():
                    out.writelines(message.value + b"\n" for message in messages)
        consumer.close()
        return path


class Nats(End):
    Server = nats.Server  # JetStream on file storage

    def backend(self):
        return {"class": "nats", "config": {"servers": [self.server.url], "subject": self.name, "stream": self.name,
                                            "window": WINDOW, "timeout": f"{ANSWER_S}s"}}

    def source(self):
        # What killed hosts held counts as handed out until ack_wait is over; it must not keep the next host waiting.
        return {"class": "nats", "config": {
            "servers": [self.server.url], "stream": self.name, "durable_name": "killed", "ack_wait": "4s",
            "nak_delay": "1s", "max_ack_pending": 1_000_000, "batch_size": BATCH, "timeout": f"{ANSWER_S}s"}}

    def left(self):
        state = wait_for(lambda: self.server.ask(f"$JS.API.CONSUMER.INFO.{self.name}.killed"), "word of the consumer")
        return state["num_pending"] + state["num_ack_pending"]

    def write_lines(self, path):
        """An ephemeral consumer that pushes everything and wants no word back."""
        count = self.server.length(self.name)
        wanted = {"stream_name": self.name, "config": {"deliver_subject": "dump", "ack_policy": "none", "deliver_policy": "all"}}
        body = json.dumps(wanted).encode()
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=ANSWER_S) as connection, open(path, "wb") as out:
            stream = connection.makefile("rwb")
            stream.readline()  # INFO
            stream.write(b'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\nSUB dump 1\r\nSUB made 2\r\n')
            stream.write(b"PUB $JS.API.CONSUMER.CREATE.%s made %d\r\n%s\r\n" % (self.name.encode(), len(body), body))
            stream.flush()
            while count > 0:
                words = stream.readline().split()
                if not words or words[0] == b"-ERR":
                    raise AssertionError("nats-server says %r" % words)
                if words[0] == b"PING":
                    stream.write(b"PONG\r\n")
                    stream.flush()
                if words[0] not in (b"MSG", b"HMSG"):
                    continue
                payload = stream.read(int(words[-1]))
                stream.readline()
                if words[2] == b"1":
                    out.write(payload[int(words[-2]) if words[0] == b"HMSG" else 0:] + b"\n")
                    count -= 1
        return path


class RabbitMq(End):
    Server = rabbitmq.Server
    DURABLE = {"durable": True, "arguments": {"x-queue-type": "quorum"}}

    def prepare(self):
        connection = self.server.connection()
        connection.channel().queue_declare(self.name, **self.DURABLE)
        connection.close()
        self.server.sync()  # before any kill: where the log of a quorum queue lies is written late

    def backend(self):
        return {"class": "rabbitmq", "config": {"url": self.server.url, "exchange": "", "routing_key": self.name,
                                                "window": WINDOW, "timeout": f"{ANSWER_S}s"}}

    def source(self):
        return {"class": "rabbitmq", "config": {"url": self.server.url, "queue": self.name, "queue_type": "quorum",
                                                "prefetch_count": WINDOW, "timeout": f"{ANSWER_S}s"}}

    def left(self):
        """The server tells only what waits, so nobody may hold anything: what a killed host held is back with its end."""
        connection = self.server.connection()
        channel = connection.channel()
        found = wait_for(lambda: (lambda queue: queue.consumer_count == 0 and queue)(
            channel.queue_declare(self.name, passive=True).method), "the queue to have no consumers", ANSWER_S)
        connection.close()
        return found.message_count

    def is_read(self, host, left):
        return host.stats()["sources"]["in"]["settled"]["delivered"] >= left

    def write_lines(self, path):
        connection = self.server.connection()
        channel = connection.channel()
        channel.basic_qos(prefetch_count=2000)
        count = channel.queue_declare(self.name, passive=True).method.message_count
        with open(path, "wb") as out:
            for method, _, body in channel.consume(self.name, inactivity_timeout=ANSWER_S):
                if method is None:
                    break
                out.write(body + b"\n")
                channel.basic_ack(method.delivery_tag)
                count -= 1
                if count == 0:
                    break
        connection.close()
        return path


class Webhook(End):
    """A receiver in this process: what it answered 204 to, it has written."""
    durable_source = False

    def prepare(self):
        self.path = str(self.folder / "received.jsonl")
        self.out = open(self.path, "wb", buffering=0)
        self.loop = asyncio.new_event_loop()
        self.listening = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/" % self.listening.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(int(re.search(rb"(?i)content-length: *(\d+)", head).group(1)))
                self.out.write(body + b"\n")
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            writer.close()  # the host is gone

    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(support.PATIENCE_S)

    def backend(self):
        return {"class": "webhook", "config": {"url": self.url, "timeout_seconds": ANSWER_S}}

    def write_lines(self, path):
        return self.path


KINDS = {"file": File, "event_log": EventLog, "redis_streams": RedisStreams, "kafka": Kafka, "nats": Nats,
         "rabbitmq": RabbitMq, "webhook": Webhook}
SOURCES = [name for name, kind in KINDS.items() if kind.durable_source]
BACKENDS = [name for name in KINDS if name != "file"]
BROKERS = [name for name, kind in KINDS.items() if kind.Server]


class Servers:
    """One server of each kind, started when it is first asked for. Stands in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.started = folder, {}

    def of(self, name):
        kind = KINDS[name]
        if kind.Server is None:
            return None
        if name not in self.started:
            server = kind.Server(self.folder)
            self.started[name] = server
            server.start()
        return self.started[name]

    def end(self):
        for server in self.started.values():
            server.stop()


def missing(names):
    """Why a pair cannot be tried here, or nothing."""
    if "kafka" in names and not kafka.available():
        return "the real Kafka is skipped: tests/kafka/install did not get it"
    return None
