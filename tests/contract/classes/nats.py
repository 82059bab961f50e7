"""Backend and source nats on JetStream. The foreign client is the protocol itself, over a socket: nats-py is not everywhere."""

import json
import re
import socket
import urllib.parse

from servers.nats import Server
from support import PATIENCE_S, wait_for

import samples
from far import Far



class Class(Far):
    modes = {"backend": {"binary": {"mode": "binary"}}, "source": {"binary": {}}}
    limit = 2 << 20  # the server's max_payload
    reasons = {"source.full": "a consumer needs no room in its stream"}

    def __init__(self, folder):
        super().__init__(folder)
        # What is pushed to the reader below waits in the server, more than its usual 64 MiB: it must not be cut off as slow.
        self.server = Server(folder, auth=True, max_payload=str(self.limit), max_pending=str(1 << 28))
        self.port = self.server.port
        self.start, self.stop, self.kill = self.server.start, self.server.stop, self.server.kill

    def make(self, place, **more):
        config = {"name": place, "subjects": [place + ".>"], "storage": "file"} | more
        answer = self.server.ask("$JS.API.STREAM.CREATE." + place, json.dumps(config))
        assert "error" not in answer, answer

    def common(self, place, port, password):
        return {"servers": ["nats://%s:%s@127.0.0.1:%d" % (self.server.user, password or self.server.password,
                                                           port or self.server.port)], "stream": place, "timeout": "2s"}

    def backend(self, place, port=None, password=None):
        return self.common(place, port, password) | {"subject": place + ".made"}

    def source(self, place, port=None, password=None):
        return self.common(place, port, password) | {"durable_name": "contract", "fetch_wait": "1s", "ack_wait": "5s",
                                                     "nak_delay": "500ms"}

    def missing(self, config):
        return config | ({"stream_config": {"create": False}} if "subject" in config else {})

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE_S)
        stream = peer.makefile("rwb", buffering=1 << 20)
        stream.readline()  # INFO
        options = {"verbose": False, "pedantic": False, "headers": True, "user": self.server.user, "pass": self.server.password}
        stream.write(b"CONNECT %s\r\n" % json.dumps(options).encode())
        return peer, stream

    def write(self, place, events, mode="structured", port=None):
        before = self.server.length(place)
        peer, stream = self.connect()
        with peer:
            for event in events:
                headers, body = binary(event) if mode == "binary" else (b"", event)
                if headers:
                    stream.write(b"HPUB %s.made %d %d\r\n" % (place.encode(), len(headers), len(headers) + len(body)))
                else:
                    stream.write(b"PUB %s.made %d\r\n" % (place.encode(), len(body)))
                stream.write(headers + body + b"\r\n")
            stream.write(b"PING\r\n")
            stream.flush()
            while (line := stream.readline()) != b"PONG\r\n":
                assert line and not line.startswith(b"-ERR"), line
        wait_for(lambda: self.server.length(place) == before + len(events), "the stream to keep what was published")

    def read(self, place, mode="structured"):
        """By a consumer that is gone with the connection: everything from the first message on."""
        left = self.server.length(place)
        if not left:
            return []
        peer, stream = self.connect()
        with peer:
            config = {"stream_name": place, "config": {"deliver_subject": "deliver." + place, "ack_policy": "none",
                                                       "deliver_policy": "all", "max_deliver": 1}}
            body = json.dumps(config).encode()
            stream.write(b"SUB deliver.%s 1\r\nPUB $JS.API.CONSUMER.CREATE.%s _none %d\r\n%s\r\n" % (
                place.encode(), place.encode(), len(body), body))
            stream.flush()
            got = []
            while len(got) < left:
                words = stream.readline().split()
                if words[:1] == [b"PING"]:
                    stream.write(b"PONG\r\n")
                    stream.flush()
                elif words[:1] in ([b"MSG"], [b"HMSG"]):
                    whole = stream.read(int(words[-1]) + 2)[:-2]
                    head = int(words[-2]) if words[0] == b"HMSG" else 0
                    got.append(whole[head:] if mode == "structured" else event_of(whole[:head], whole[head:]))
                else:
                    assert words and words[0] in (b"PONG", b"+OK"), words
        return got

    def fill(self, place):
        """The stream may hold 64 KiB, and refuses what would not fit."""
        self.update(place, max_bytes=65536, discard="new")

    def relieve(self, place):
        self.update(place, max_bytes=-1)

    def update(self, place, **more):
        config = self.server.stream(place)["config"] | more
        answer = self.server.ask("$JS.API.STREAM.UPDATE." + place, json.dumps(config))
        assert "error" not in answer, answer


def binary(event):
    """(headers, body) of the binding's binary mode: attributes percent-encoded."""
    parts = samples.meaning(event)
    body = json.dumps(parts.pop("data"), ensure_ascii=False, separators=(",", ":")).encode()
    lines = ["ce-%s: %s" % (name, urllib.parse.quote(value, safe=" !#$&'()*+,/:;=?@[]~-._")) for name, value in parts.items()]
    return ("NATS/1.0\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode(), body


def event_of(headers, body):
    parts = {}
    for name, value in re.findall(r"^([^:\r\n]+): ?([^\r\n]*)", headers.decode(), re.M):
        if name.lower().startswith("ce-"):
            parts[name[3:].lower()] = urllib.parse.unquote(value)
    return parts | {"data": json.loads(body)}
