"""Real servers for tests and benchmarks: each on a free loopback port, in a folder of its own, ended by its process.

    with tempfile.TemporaryDirectory() as folder, Redis(folder) as redis: …

A server that does not answer within START_SECONDS fails the caller with what the server said."""
import os
import socket
import subprocess
import time

START_SECONDS = 20


def free_port():
    """Free at the moment of asking; a server that loses the race says so and is started again with another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=START_SECONDS, every=0.02):
    """Returns condition()'s first true answer, or fails naming what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for: {what}")
        time.sleep(every)


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Server:
    """A process that listens on self.port. Subclasses say command()."""

    def __init__(self, folder, port=None):
        self.folder = folder
        self.port = port or free_port()
        self.process = None
        self.log_path = os.path.join(folder, f"{type(self).__name__.lower()}.{self.port}.log")

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        wait_until(f"{type(self).__name__} on port {self.port}\n{self.said()}", self._is_up)
        return self

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.command()[0]} ended with {self.process.returncode}:\n{self.said()}")
        return can_connect(self.port)

    def said(self):
        with open(self.log_path, "rb") as log:
            return log.read()[-4000:].decode("utf-8", "replace")

    def stop(self, kill=False):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.kill() if kill else self.process.terminate()
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Redis(Server):
    """durable: what it has answered survives a kill of the server (appendonly, flushed on every write)."""

    def __init__(self, folder, port=None, durable=False):
        super().__init__(folder, port)
        self.durable = durable

    def command(self):
        options = ["--appendonly", "yes", "--appendfsync", "always"] if self.durable else ["--appendonly", "no"]
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder,
                "--daemonize", "no", *options]

    def cli(self, *words):
        answer = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=True)
        return answer.stdout.rstrip("\n")

    def entries_added(self, stream):
        """How many entries the stream ever took; 0 when there is no stream."""
        lines = self.cli("--raw", "XINFO", "STREAM", stream).split("\n")
        return int(lines[lines.index("entries-added") + 1]) if "entries-added" in lines else 0

    def cpu_seconds(self):
        facts = dict(line.split(":", 1) for line in self.cli("INFO", "cpu").split() if ":" in line)
        return float(facts["used_cpu_user"]) + float(facts["used_cpu_sys"])


NGINX_CONF = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.error.log warn;
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000; client_max_body_size 64m;
  log_format counted '$status $content_length $content_type';
  access_log {folder}/access.log counted buffer=256k;
  server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}
}}
"""


class Nginx(Server):
    """Answers every request with 204 and writes status, body length and content type of each to access.log."""

    def command(self):
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as conf:
            conf.write(NGINX_CONF.format(folder=self.folder, port=self.port))
        return ["nginx", "-e", os.path.join(self.folder, "nginx.error.log"), "-p", self.folder, "-c", path]

    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def take_log(self):
        """What came since the last call: {(status, content type): [requests, body bytes]}. Stops and starts the
        server, so that its buffer is written."""
        self.stop()
        path, seen = os.path.join(self.folder, "access.log"), {}
        with open(path, encoding="utf-8") as log:
            for line in log:
                status, length, content_type = line.rstrip("\n").split(" ", 2)
                entry = seen.setdefault((status, content_type), [0, 0])
                entry[0] += 1
                entry[1] += int(length)
        os.truncate(path, 0)
        self.start()
        return seen
