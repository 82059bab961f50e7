"""Backend and source redis_streams, by redis-py and a redis-server that loses nothing when it is killed."""

from servers.redis import Server

from far import Far


class Class(Far):
    limit = 2 << 20
    limit_config = {"max_event_bytes": limit}
    reasons = {
        "backend.missing": "XADD makes the stream",
        "source.missing": "the source makes stream and group (MKSTREAM)",
    }

    def __init__(self, folder):
        super().__init__(folder)
        self.server = Server(folder, auth=True, proto_max_bulk_len=str(self.limit))
        self.port = self.server.port

    def start(self):
        self.server.start()

    def stop(self):
        self.server.stop()

    def kill(self):
        self.server.kill()

    def url(self, port, password):
        return "redis://:%s@127.0.0.1:%d/1" % (password or self.server.password, port or self.server.port)

    def backend(self, place, port=None, password=None):
        return {"url": self.url(port, password), "stream_name": place, "max_len": 0, "ttl_seconds": 0,
                "connection_pool": {"timeout": 2}}

    def source(self, place, port=None, password=None):
        return {"url": self.url(port, password), "source_stream": place, "consumer_group": "contract", "consumer_name": "one",
                "timeout": "2s", "retry_after": "1s"}

    def write(self, place, events, mode="structured", port=None):
        client = self.server.client()
        for first in range(0, len(events), 2000):
            pipe = client.pipeline(transaction=False)
            for event in events[first:first + 2000]:
                pipe.xadd(place, {"event": event})
            pipe.execute()

    def read(self, place, mode="structured"):
        client, last, got = self.server.client(), "-", []
        while entries := client.xrange(place, last, "+", count=5000):
            got += [fields[b"event"] for _, fields in entries]
            last = b"(" + entries[-1][0]
        return got

    def fill(self, place):
        self.server.client().config_set("maxmemory-policy", "noeviction")
        self.server.client().config_set("maxmemory", "1")

    def relieve(self, place):
        self.server.client().config_set("maxmemory", "0")
