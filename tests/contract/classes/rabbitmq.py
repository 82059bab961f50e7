"""Backend and source rabbitmq, by pika, with durable quorum queues."""

import json

from servers.rabbitmq import Server

import samples
from far import Far

QUORUM = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
STRUCTURED = "application/cloudevents+json"


class Class(Far):
    modes = {"backend": {"binary": {"mode": "binary"}}, "source": {"binary": {}}}
    count = 30_000  # pika needs half a minute for more
    limit = 1500000
    limit_config = {"max_message_bytes": limit}
    reasons = {"source.full": "the alarm blocks who publishes, not who consumes"}

    def __init__(self, folder):
        super().__init__(folder)
        self.server = Server(folder)
        self.port = self.server.port
        self.start, self.stop, self.kill = self.server.start, self.server.stop, self.server.kill
        self.taken = {}  # place -> what was read of it so far: reading takes it out of the queue

    def make(self, place):
        connection = self.server.connection()
        channel = connection.channel()
        channel.exchange_declare(place, "topic", durable=True)
        channel.queue_declare(place, **QUORUM)
        channel.queue_bind(place, place, "#")
        connection.close()
        self.server.sync()

    def common(self, port, password):
        return {"url": "amqp://%s:%s@127.0.0.1:%d/" % (self.server.user, password or self.server.password,
                                                        port or self.server.port), "timeout": "2s"}

    def backend(self, place, port=None, password=None):
        return self.common(port, password) | {"exchange": place}

    def source(self, place, port=None, password=None):
        return self.common(port, password) | {"queue": place, "queue_type": "quorum", "prefetch_count": 512,
                                              "retry_delay": "200ms"}

    def missing(self, config):
        return config | {"passive": True}

    def write(self, place, events, mode="structured", port=None):
        import pika
        connection = self.server.connection()
        channel = connection.channel()
        for number, event in enumerate(events, 1):
            if number == len(events):
                channel.confirm_delivery()  # a quorum queue keeps order: with the last one all of them are there
            parts = samples.meaning(event) if mode == "binary" else {}
            body = json.dumps(parts.pop("data")).encode() if parts else event
            content_type = parts.pop("datacontenttype") if parts else STRUCTURED
            properties = pika.BasicProperties(content_type=content_type, delivery_mode=2,
                                              headers={"ce-" + name: value for name, value in parts.items()} or None)
            channel.basic_publish("", place, body, properties)
        connection.close()

    def write_empty(self, place):
        import pika
        connection = self.server.connection()
        connection.channel().basic_publish("", place, b"[]", pika.BasicProperties(
            content_type="application/cloudevents-batch+json", delivery_mode=2))
        connection.close()

    def read(self, place, mode="structured"):
        import pika
        got = self.taken.setdefault(place, [])
        try:
            connection = self.server.connection()
            channel = connection.channel()
            left = channel.queue_declare(place, passive=True).method.message_count
            channel.basic_qos(prefetch_count=1000)
            for method, properties, body in channel.consume(place, inactivity_timeout=1) if left else ():
                if method is None:
                    break
                got.append(body if mode == "structured" else event_of(properties, body))
                channel.basic_ack(method.delivery_tag)
            connection.close()
        except pika.exceptions.ChannelClosedByBroker as error:
            assert error.reply_code == 404, error
        return got

    def fill(self, place):
        self.server.ctl("set_vm_memory_high_watermark", "absolute", "1")

    def relieve(self, place):
        self.server.ctl("set_vm_memory_high_watermark", "absolute", "1GB")


def event_of(properties, body):
    parts = {name.removeprefix("ce-"): value for name, value in (properties.headers or {}).items() if name.startswith("ce-")}
    return parts | {"datacontenttype": properties.content_type, "data": json.loads(body)}
