"""Source stdin: the program's standard input, here a named pipe that a writer feeds."""

import os

from far import Far

NO_SERVER = "there is no server: it is a descriptor"
NOT_AGAIN = "standard input cannot be asked again: tests/faults/drain_test.py holds what was delivered and what was written " \
    "down against what went in"


class Class(Far):
    roles = ("source",)
    writes_live = True  # a pipe holds 64 KiB
    reasons = {"absent_at_start": NO_SERVER, "restarted": NO_SERVER, "cut": NO_SERVER, "wrong_password": NO_SERVER,
               "missing": "the descriptor is there or the start is refused (plugins/stdio/tests)",
               "full": "it writes nothing", "drain": NOT_AGAIN,
               "slow": "the second half of the case asks again; a graph that takes nothing is plugins/stdio/tests/stdin_test.cc"}

    def path(self, place):
        return self.folder / (place + ".pipe")

    def make(self, place):
        os.mkfifo(self.path(place))

    def source(self, place, port=None, password=None):
        return {"max_record_bytes": "8MiB"}

    def command(self, arguments, place):
        # Opened both ways, so that opening waits for nobody and the end comes with the host's.
        return ["sh", "-c", 'pipe=$1; shift; exec "$@" 0<>"$pipe"', "sh", str(self.path(place)), *arguments]

    def write(self, place, events, mode="structured", port=None):
        with open(self.path(place), "wb") as out:
            out.write(b"".join(event + b"\n" for event in events))
