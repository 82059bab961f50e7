"""What the scenarios share: servers and hosts of their own on free loopback ports, ended by their process, and waiting
for a condition with a bound instead of sleeping.

SLUICE_BUILD_DIR names the build folder (default: build/ of the checkout)."""

import collections
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "tests" / "scenarios"
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD_DIR", ROOT / "build"))
SLUICE = BUILD / "sluice"
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's packages
PATIENCE_S = 30
sys.path.append(str(ROOT / "tests"))  # from servers.redis import Server

# Nothing of the caller's settings reaches a scenario.
OVERRIDES = ("EVENTS_ENABLED", "EVENTS_BACKEND", "REDIS_EVENTS_URL", "EVENT_CONSUMER_ENABLED", "STAGE1_EVENT_STREAM",
             "AUTO_PROCESS", "RABBITMQ_URL", "EXTRACTION_OUTPUT", "WEBHOOK_API_KEY", "http_proxy", "https_proxy", "all_proxy",
             "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in OVERRIDES}
    return kept | {name: str(value) for name, value in more.items()}


PORTS = range(10_000, 32_001)  # below what the kernel gives to callers (ip_local_port_range)
claims = collections.deque(maxlen=400)  # each is a descriptor


def free_port():
    """A port for a server: free, and no other test's while this process lives, in this checkout or another.

    A port that the kernel picks can be lost between here and the server's start, or while it is down and comes again: to
    another test, or to any connection's near end (even one to that very port, which then talks to itself). So it is
    outside the range of those, and claimed by the name of a socket that is no file and ends with the process."""
    for port in random.sample(PORTS, 1000):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0sluice-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        claims.append(claim)
        return port
    raise AssertionError(f"no free port between {PORTS[0]} and {PORTS[-1]}")


def whole_lines(path):
    """The lines of a file that a host may be writing just now: what stands behind the last line end is still to come."""
    path = pathlib.Path(path)
    return path.read_bytes().rpartition(b"\n")[0].decode().splitlines() if path.exists() else []


def wait_for(condition, what, patience_s=PATIENCE_S):
    """The condition's first true value. Raises with `what`, or with what `what()` says, when the bound is reached."""
    end = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %d s for %s" % (patience_s, what() if callable(what) else what))
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def http(method, url, body=None, headers=None):
    """(status, text). An answer is an answer, whatever its status."""
    request = urllib.request.Request(url, data=body.encode() if isinstance(body, str) else body, method=method,
                                     headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


class Process:
    """A program of the test's own. What it prints goes to a file, so that it never waits for a reader."""

    def __init__(self, arguments, folder, name, env=None, stdin=subprocess.DEVNULL):
        self.output = pathlib.Path(folder) / (name + ".out")
        self.name = name
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen([str(part) for part in arguments], stdin=stdin, stdout=output,
                                            stderr=subprocess.STDOUT, env=env or environment(), cwd=folder)

    def text(self):
        return self.output.read_text(errors="replace")

    def lines(self, *parts):
        """The lines of its output that hold all the parts: grep."""
        return [line for line in self.text().splitlines() if all(part in line for part in parts)]

    def wait_for_line(self, *parts, count=1):
        wait_for(lambda: len(self.lines(*parts)) >= count,
                 lambda: "%d lines with %r of %s, which printed:\n%s" % (count, parts, self.name, self.text()))
        return self.lines(*parts)

    def wait(self):
        return self.process.wait(timeout=PATIENCE_S)

    def end(self, sign=signal.SIGTERM):
        """The exit code. A second signal when the first one is not enough, so that nothing is left behind."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            return self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Host(Process):
    """`sluice run` with a door, if the configuration has one, and an admin page."""

    def __init__(self, folder, config, sets=(), env=None, dialect="events", door=True, name="sluice"):
        for attempt in range(3):
            self.begin(folder, config, sets, env, dialect, door, "%s-%d" % (name, attempt) if attempt else name)
            # Between asking for a free port and using it, somebody else may have taken it.
            if self.process.poll() is None or "in use" not in self.text():
                break
        if self.process.poll() is not None:
            raise AssertionError("sluice ended with %d:\n%s" % (self.process.returncode, self.text()))

    def begin(self, folder, config, sets, env, dialect, door, name):
        self.admin_port = free_port()
        self.door_port = free_port()
        self.door = "http://127.0.0.1:%d/events" % self.door_port
        arguments = [SLUICE, "run", config]
        where = "sluice.admin.listen" if dialect == "events" else "admin.listen"
        arguments += ["--set", "%s=127.0.0.1:%d" % (where, self.admin_port)]
        if door:
            where = "events.ingest.http" if dialect == "events" else "sources.door.config.listen"
            arguments += ["--set", "%s=127.0.0.1:%d" % (where, self.door_port)]
        for each in sets:
            arguments += ["--set", each]
        super().__init__(arguments, folder, name, environment(**(env or {})))
        wait_for(lambda: self.process.poll() is not None or listens(self.admin_port) and (not door or listens(self.door_port)),
                 lambda: "the host to start, which printed:\n" + self.text())

    def page(self, path):
        return http("GET", "http://127.0.0.1:%d%s" % (self.admin_port, path))

    def stats(self):
        return json.loads(self.page("/stats")[1])

    def post(self, event, content_type="application/cloudevents+json"):
        """curl, as a person would. (status, text)"""
        ran = subprocess.run(["curl", "-s", "-X", "POST", self.door, "-H", "Content-Type: " + content_type, "--data-binary", "@-",
                              "-w", "\n%{http_code}"], input=event if isinstance(event, str) else json.dumps(event), text=True,
                             capture_output=True, timeout=PATIENCE_S, env=environment())
        text, _, status = ran.stdout.rpartition("\n")
        return int(status), text

    def emit(self, *arguments):
        return subprocess.run([SLUICE, "emit", *arguments, "--to", self.door], text=True, capture_output=True,
                              timeout=PATIENCE_S, env=environment())


class Redis(Process):
    """A redis-server without persistence, in memory of its own."""

    def __init__(self, folder, port=None):
        self.port = port or free_port()
        super().__init__(["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--save", "", "--dir", folder,
                          "--dbfilename", "canary.rdb"], folder, "redis")
        wait_for(lambda: listens(self.port), lambda: "redis-server to start, which printed:\n" + self.text())

    @property
    def url(self):
        return "redis://127.0.0.1:%d/1" % self.port

    def cli(self, *arguments):
        ran = subprocess.run(["redis-cli", "-p", str(self.port), "-n", "1", *map(str, arguments)], text=True,
                             capture_output=True, timeout=PATIENCE_S)
        return ran.stdout

    def client(self):
        import redis
        return redis.Redis.from_url(self.url)

    def events(self, stream="nlp-events"):
        """What XREAD … 0 shows: the events of the stream, in its order."""
        return [json.loads(fields[b"event"]) for _, fields in self.client().xrange(stream)]


class Recorder:
    """A receiver that keeps the bytes of every request, in this process."""

    def __init__(self):
        self.requests = []
        keep = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                keep.append((self.path, dict(self.headers), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/webhook/nlp-events" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Scenario(unittest.TestCase):
    """A folder of its own per test, removed when it passed; whatever was started is ended, in reverse order."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-scenario-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def keep(self, started):
        self.addCleanup(started.end)
        return started

    def host(self, config, *sets, **more):
        return self.keep(Host(self.folder, SCENARIOS / "config" / config if "/" not in str(config) else config, sets, **more))

    def redis(self, **more):
        return self.keep(Redis(self.folder, **more))

    def flask(self, name, port=None):
        """A Flask receiver of the documents on a port of its own. Returns it with its URL."""
        port = port or free_port()
        started = self.keep(Process([PYTHON, "-u", "-m", "flask", "--app", SCENARIOS / "consumers" / name, "run", "--host",
                                     "127.0.0.1", "--port", port], self.folder, name, environment(PYTHONUNBUFFERED=1)))
        wait_for(lambda: listens(port), lambda: "the receiver to start, which printed:\n" + started.text())
        started.port = port
        started.url = "http://127.0.0.1:%d/webhook/nlp-events" % port
        return started

    def run_sluice(self, *arguments, stdin="", **env):
        """A run to its end: a CompletedProcess."""
        return subprocess.run([SLUICE, *map(str, arguments)], input=stdin, text=True, capture_output=True, cwd=self.folder,
                              timeout=PATIENCE_S, env=environment(**env))


def main():
    unittest.main(verbosity=2)
