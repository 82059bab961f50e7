"""The nats-server of a benchmark: JetStream on file storage, with the stream EV for ev.>."""
import base64
import json
import urllib.request

from servers import nats
from support import free_port


class Nats(nats.Server):
    def __init__(self, folder):
        self.monitor_port = free_port()
        super().__init__(folder, http='"127.0.0.1:%d"' % self.monitor_port)
        self.start()
        self.make_stream()

    def make_stream(self):
        self.ask("$JS.API.STREAM.CREATE.EV", json.dumps({"name": "EV", "subjects": ["ev.>"], "storage": "file"}))

    def taken(self):
        """(messages, bytes) that clients have sent since the server started."""
        with urllib.request.urlopen("http://127.0.0.1:%d/varz" % self.monitor_port, timeout=10) as answer:
            seen = json.load(answer)
        return seen["in_msgs"], seen["in_bytes"]

    def last(self):
        """(data, headers) of the newest message."""
        newest = self.stream("EV")["state"]["last_seq"]
        message = self.ask("$JS.API.STREAM.MSG.GET.EV", json.dumps({"seq": newest}))["message"]
        return base64.b64decode(message["data"]).decode(), base64.b64decode(message.get("hdrs", "")).decode()

    def forget(self):
        self.ask("$JS.API.STREAM.DELETE.EV")
        self.make_stream()
