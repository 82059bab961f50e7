"""Backend and source kafka, by kafka-python and a real broker. The broker tells clients where to connect, so it has a
door of its own for those that come through the proxy: it names the proxy's port."""

import json

from servers import kafka
from support import free_port

import samples
from far import Far

QUICK = {"socket.timeout.ms": 2000, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 300,
         "topic.metadata.refresh.interval.ms": 1000}
LARGEST = 4 << 20


class Class(Far):
    modes = {"backend": {"binary": {"content_mode": "binary"}}, "source": {"binary": {}}}
    limit = 1500000
    limit_config = {"max_message_bytes": limit}
    reasons = {"full": "a broker whose disk is full shuts its log folder down and ends: tests/faults/kafka_restart_test.py has "
                       "its coming back"}

    def __init__(self, folder):
        super().__init__(folder)
        self.between, self.door = free_port(), free_port()
        self.server = server = kafka.Server(folder, auth=True, message_max_bytes=LARGEST, replica_fetch_max_bytes=LARGEST)
        for name, port in (("listeners", self.door), ("advertised.listeners", self.between)):
            server.settings[name] += ",BETWEEN://127.0.0.1:%d" % port
        server.settings["listener.security.protocol.map"] += ",BETWEEN:PLAINTEXT"
        self.port = self.door
        self.start, self.stop, self.kill = server.start, server.stop, server.kill

    def unavailable(self):
        return None if kafka.available() else "Kafka is not here (tests/kafka/install)"

    def proxy_port(self):
        return self.between

    def make(self, place):
        self.server.create_topic(place)

    def common(self, port, password):
        config = {"bootstrap_servers": ["127.0.0.1:%d" % (port or self.server.port)], "properties": QUICK, "timeout": "2s"}
        if password:
            config |= {"bootstrap_servers": [self.server.urls["sasl_plaintext"]], "security_protocol": "SASL_PLAINTEXT",
                       "sasl_username": self.server.user, "sasl_password": password}
        return config

    def backend(self, place, port=None, password=None):
        return self.common(port, password) | {"topic": place, "delivery_timeout": "10s", "max_message_bytes": "2MiB"}

    def source(self, place, port=None, password=None):
        return self.common(port, password) | {"topics": place, "group_id": place, "session_timeout": "6s"}

    def write(self, place, events, mode="structured", port=None):
        producer = self.server.producer(max_request_size=LARGEST, linger_ms=5, batch_size=1 << 18)
        sent = []
        for event in events:
            parts = samples.meaning(event) if mode == "binary" else {}
            body = json.dumps(parts.pop("data")).encode() if parts else event
            headers = [("content-type" if name == "datacontenttype" else "ce_" + name, value.encode())
                       for name, value in parts.items()]
            sent.append(producer.send(place, body, headers=headers))
        producer.flush()
        for each in sent:
            each.get()
        producer.close()

    def read(self, place, mode="structured"):
        from kafka import TopicPartition
        if place not in self.server.topics():
            return []
        consumer = self.server.consumer(max_partition_fetch_bytes=LARGEST)
        partition = TopicPartition(place, 0)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        end = consumer.end_offsets([partition])[partition]
        got = []
        while consumer.position(partition) < end:
            for message in consumer.poll(1000, max_records=5000).get(partition, []):
                got.append(message.value if mode == "structured" else event_of(message))
        consumer.close()
        return got


def event_of(message):
    parts = {"datacontenttype" if name == "content-type" else name.removeprefix("ce_"): value.decode()
             for name, value in message.headers}
    return parts | {"data": json.loads(message.value)}
