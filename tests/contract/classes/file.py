"""Source file: follows files of lines."""

from far import Far

NO_SERVER = "there is no server: it is a local file"


class Class(Far):
    roles = ("source",)
    reasons = {"absent_at_start": NO_SERVER, "restarted": NO_SERVER, "cut": NO_SERVER, "wrong_password": NO_SERVER,
               "full": "it writes nothing but its checkpoint"}

    def path(self, place):
        return self.folder / (place + ".jsonl")

    def make(self, place):
        self.path(place).touch()

    def source(self, place, port=None, password=None):
        return {"paths": [str(self.path(place))], "from": "beginning", "checkpoint": str(self.path(place)) + ".checkpoint",
                "poll_interval": "200ms", "max_line_bytes": "8MiB"}

    def write(self, place, events, mode="structured", port=None):
        with open(self.path(place), "ab") as out:
            out.write(b"".join(event + b"\n" for event in events))
