"""Backend stdout: the program's standard output, here redirected to a file, or into a pipe that is not read."""

from far import Far

NO_SERVER = "there is no server: it is a descriptor"


class Class(Far):
    roles = ("backend",)
    limit_config = None  # only the host bounds an event
    reasons = {"absent_at_start": NO_SERVER, "restarted": NO_SERVER, "cut": NO_SERVER, "wrong_password": NO_SERVER,
               "missing": "the descriptor is there or the start is refused (plugins/stdio/tests)",
               "full": "a full disk behind a redirection is plugins/stdio/tests/stdout_test.cc",
               "slow": "a reader that does not read is plugins/stdio/tests/stdout_test.cc"}

    def path(self, place):
        return self.folder / (place + ".jsonl")

    def backend(self, place, port=None, password=None):
        return {}

    def command(self, arguments, place):
        return ["sh", "-c", 'out=$1; shift; exec "$@" >>"$out"', "sh", str(self.path(place)), *arguments]

    def read(self, place, mode="structured"):
        path = self.path(place)
        text = path.read_bytes() if path.exists() else b""
        return [line for line in text[:text.rfind(b"\n") + 1].splitlines()]
