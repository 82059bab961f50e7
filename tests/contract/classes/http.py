"""Source http: the server is the host itself, its clients send again what was not answered with 2xx."""

import http.client
import json
import time
import urllib.parse

from support import PATIENCE_S, free_port

import samples
from far import Far

TOKEN = "only-for-tests"
OWN_SERVER = "the source is the server"
STRUCTURED, BATCH = "application/cloudevents+json; charset=UTF-8", "application/cloudevents-batch+json; charset=UTF-8"
PER_BATCH = 50
FINAL = (202, 400, 413, 422)


class Class(Far):
    roles = ("source",)
    modes = {"source": {"binary": {}, "batched": {}}}
    writes_live = True
    reasons = {"absent_at_start": OWN_SERVER, "restarted": OWN_SERVER + ": its being killed is tests/faults/crash_test.py",
               "missing": OWN_SERVER + ": another path is 404 (plugins/http/tests/front_test.cc)", "full": "it keeps nothing"}

    def __init__(self, folder):
        super().__init__(folder)
        self.port = free_port()

    def source(self, place, port=None, password=None):
        return {"listen": "127.0.0.1:%d" % self.port, "token": TOKEN, "settle_timeout": "2s", "retry_after": "1s"}

    def write(self, place, events, mode="structured", port=None):
        """One after the other, on one connection; many go as batches."""
        if mode == "batched" or len(events) >= 4 * PER_BATCH:
            groups = [events[first:first + PER_BATCH] for first in range(0, len(events), PER_BATCH)]
            requests = [(b"[" + b",".join(group) + b"]", {"Content-Type": BATCH}) for group in groups]
        elif mode == "binary":
            requests = [binary(event) for event in events]
        else:
            requests = [(event, {"Content-Type": STRUCTURED}) for event in events]
        self.send(requests, port or self.port)

    def write_empty(self, place):
        self.send([(b"[]", {"Content-Type": BATCH})], self.port)

    def send(self, requests, port):
        client, end = None, time.monotonic() + 2 * PATIENCE_S
        for body, headers in requests:
            while True:
                assert time.monotonic() < end, "the door does not take it"
                try:
                    client = client or http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                    client.request("POST", "/events", body, headers | {"Authorization": "Bearer " + TOKEN})
                    answer = client.getresponse()
                    text = answer.read().decode()
                    self.told = self.told if answer.status == 202 else text
                    self.turned_away += answer.status == 503
                    if answer.status in FINAL:
                        break
                except (OSError, http.client.HTTPException):
                    pass
                client.close()
                client = None
                time.sleep(0.05)  # as a client does before it tries again
        if client:
            client.close()

    def knock(self, place, password):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        client.request("POST", "/events", samples.line(0), {"Content-Type": STRUCTURED, "Authorization": "Bearer " + password})
        answer = client.getresponse()
        assert answer.status == 401, answer.status
        return "%d %s" % (answer.status, answer.read().decode())


def binary(event):
    parts = samples.meaning(event)
    body = json.dumps(parts.pop("data")).encode()
    headers = {"Content-Type": parts.pop("datacontenttype")}
    return body, headers | {"ce-" + name: urllib.parse.quote(value, safe=" ") for name, value in parts.items()}
