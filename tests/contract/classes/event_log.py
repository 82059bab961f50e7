"""Backend event_log: a file of lines."""

from far import Far

NO_SERVER = "there is no server: it is a local file"


class Class(Far):
    roles = ("backend",)
    limit_config = None  # only the host bounds an event
    reasons = {"absent_at_start": NO_SERVER, "restarted": NO_SERVER, "cut": NO_SERVER, "wrong_password": NO_SERVER,
               "missing": "missing folders are made (plugins/file/tests)",
               "full": "a full disk needs a mount of its own: tests/faults/full_disk_test.py",
               "slow": "the system takes writes at once; a disk that takes none is tests/faults/full_disk_test.py"}

    def path(self, place):
        return self.folder / (place + ".jsonl")

    def backend(self, place, port=None, password=None):
        return {"path": str(self.path(place))}

    def read(self, place, mode="structured"):
        path = self.path(place)
        text = path.read_bytes() if path.exists() else b""
        return text[:text.rfind(b"\n") + 1].splitlines()
