"""The servers of a benchmark: the scenarios' Redis, and nginx as the far side of webhooks. Each on a free loopback port, in
a folder of its own, ended by its process."""
import os
import subprocess

import support

# The tests' own servers are found below this name, too: `from servers import nats`.
__path__ = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "servers")]

from support import Process, free_port, listens, wait_for  # noqa: F401


class Redis(support.Redis):
    def cli(self, *arguments):
        return subprocess.run(["redis-cli", "-p", str(self.port), *map(str, arguments)], text=True, capture_output=True,
                              timeout=support.PATIENCE_S, check=True).stdout.rstrip("\n")

    def entries_added(self, stream):
        """How many entries the stream ever took."""
        lines = self.cli("--raw", "XINFO", "STREAM", stream).split("\n")
        return int(lines[lines.index("entries-added") + 1])

    def last_entry_at(self, stream):
        """When the stream took its last entry, in seconds since the epoch: the server's clock, to the millisecond."""
        lines = self.cli("--raw", "XINFO", "STREAM", stream).split("\n")
        return int(lines[lines.index("last-generated-id") + 1].split("-")[0]) / 1000

    def fill(self, stream, lines, count):
        """The first `count` lines of a file as entries of a stream."""
        front = b"*5\r\n$4\r\nXADD\r\n$%d\r\n%s\r\n$1\r\n*\r\n$5\r\nevent\r\n" % (len(stream), stream.encode())
        with open(lines, "rb") as source, subprocess.Popen(["redis-cli", "-p", str(self.port), "--pipe"],
                                                           stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as pipe:
            for _, line in zip(range(count), source):
                line = line.rstrip(b"\n")
                pipe.stdin.write(b"%s$%d\r\n%s\r\n" % (front, len(line), line))
            pipe.stdin.close()
            if pipe.wait() != 0:
                raise RuntimeError("redis-cli --pipe failed")


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


class Nginx:
    """Answers every request with 204 and writes status, body length and content type of each to a log."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as conf:
            conf.write(NGINX_CONF.format(folder=folder, port=self.port))
        self._start()

    def _start(self):
        self.server = Process(["nginx", "-e", "nginx.error.log", "-p", self.folder, "-c", "nginx.conf"], self.folder,
                              "nginx")
        wait_for(lambda: listens(self.port), lambda: "nginx to start, which printed:\n" + self.server.text())

    def end(self):
        self.server.end()

    def take_log(self):
        """What came since the last call: {(status, content type): [requests, body bytes]}. Restarts the server, so that
        its buffer is written."""
        self.end()
        path, seen = os.path.join(self.folder, "access.log"), {}
        with open(path, encoding="utf-8") as log:
            for line in log:
                status, length, content_type = line.rstrip("\n").split(" ", 2)
                entry = seen.setdefault((status, content_type), [0, 0])
                entry[0] += 1
                entry[1] += int(length)
        os.truncate(path, 0)
        self._start()
        return seen
