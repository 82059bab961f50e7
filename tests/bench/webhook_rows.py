"""Rows that publish by HTTP to nginx, whose log says what came."""
from row import Row, Void, must_equal

CONNECTIONS = "64"
BATCH = 100


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
