"""Backend webhook, to a receiver that writes down what it takes (receiver.py)."""

import base64
import json
import pathlib
import urllib.parse

from support import PYTHON, Process, free_port, listens, wait_for

from far import Far

HERE = pathlib.Path(__file__).resolve().parent.parent
TOKEN = "only-for-tests"


class Class(Far):
    roles = ("backend",)
    modes = {"backend": {"binary": {"mode": "binary"}, "batched": {"mode": "batched"}}}
    is_ordered = {"max_in_flight": 1}
    limit = 1500000
    reasons = {"missing": "404 is the receiver's last word about an event: rejected (plugins/http/tests/reply_test.cc)"}

    def __init__(self, folder):
        super().__init__(folder)
        self.port = free_port()
        self.process = None

    def start(self):
        self.process = Process([PYTHON, HERE / "receiver.py", self.port, self.folder, self.limit, TOKEN], self.folder, "receiver")
        wait_for(lambda: listens(self.port), lambda: "the receiver to start:\n" + self.process.text())

    def stop(self):
        self.process.end()

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()

    def file(self, place, kind):
        return self.folder / ("%s.%s" % (place, kind))

    def make(self, place):
        self.file(place, "open").touch()

    def backend(self, place, port=None, password=None):
        # Short where a proxy lets connections stand still; else longer than any answer takes on a busy machine, as what comes
        # too late is rightly sent again.
        return {"url": "http://127.0.0.1:%d/%s" % (port or self.port, place), "timeout_seconds": 2 if port else 30,
                "headers": {"Authorization": "Bearer " + (password or TOKEN)}}

    def read(self, place, mode="structured"):
        if not self.file(place, "received").exists():
            return []
        got = []
        text = self.file(place, "received").read_bytes()
        for line in text[:text.rfind(b"\n") + 1].splitlines():
            request = json.loads(line)
            body = base64.b64decode(request["body"])
            if mode == "batched":
                got += json.loads(body)
            else:
                got.append(body if mode == "structured" else event_of(request["headers"], body))
        return got

    def fill(self, place):
        self.file(place, "full").touch()

    def relieve(self, place):
        self.file(place, "full").unlink()


def event_of(headers, body):
    parts = {name[3:].lower(): urllib.parse.unquote(value) for name, value in headers.items() if name.lower().startswith("ce-")}
    return parts | {"datacontenttype": headers["content-type"], "data": json.loads(body)}
