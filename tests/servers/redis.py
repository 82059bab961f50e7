"""A real redis-server for a test, which by default loses nothing when it is killed (appendonly yes, appendfsync always).

    server = Server(folder).start()             # or auth=True: a password; tls=True: a TLS port beside the plain one
    server.url, server.socket, server.tls_url   # to database `database`
    server.cli("XLEN", "nlp-events"), server.client()
    server.kill(); server.start()               # the same port and data; restart() does both"""

import pathlib
import subprocess

from support import PATIENCE_S, Process, free_port, wait_for

from servers import tls as certificates

DURABLE = {"appendonly": "yes", "appendfsync": "always"}
PASSWORD = "only-for-tests"


class Server:
    def __init__(self, folder, tls=False, auth=False, port=None, durable=True, database=1, certificate=None, **more):
        """`tls`: True, or a tls.Certificates; `certificate`: the pair to serve instead of its good one. `more` are
        settings of redis.conf, with _ for -: maxmemory="100mb". `auth`: True, or the password."""
        self.folder = pathlib.Path(folder) / "redis"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.database = database
        self.password = (PASSWORD if auth is True else auth) or None
        self.certificates = certificates.Certificates(pathlib.Path(folder) / "tls") if tls is True else tls or None
        self.tls_port = free_port() if self.certificates else None
        self.certificate = certificate or (self.certificates and self.certificates.server)
        self.socket = self.folder / "redis.sock"
        self.settings = (DURABLE if durable else {"appendonly": "no"}) | more
        self.process = None

    def options(self):
        yield from ("--bind", "127.0.0.1", "--port", self.port, "--dir", self.folder, "--unixsocket", self.socket, "--save", "")
        if self.password:
            yield from ("--requirepass", self.password)
        if self.certificate:
            yield from ("--tls-port", self.tls_port, "--tls-cert-file", self.certificate.certificate, "--tls-key-file",
                        self.certificate.key, "--tls-ca-cert-file", self.certificates.authority, "--tls-auth-clients", "no")
        for name, value in self.settings.items():
            yield from ("--" + name.replace("_", "-"), value)

    def start(self):
        """Starts it and waits until it answers, with everything loaded that it had stored."""
        self.process = Process(["redis-server", *self.options()], self.folder, "redis")
        wait_for(lambda: self.process.process.poll() is not None or self.cli("PING").strip() == "PONG",
                 lambda: "redis-server to answer, which printed:\n" + self.process.text())
        if self.process.process.poll() is not None:
            raise AssertionError("redis-server ended with %d:\n%s" % (self.process.process.returncode, self.process.text()))
        return self

    def stop(self):
        """As an operator would: SIGTERM. The exit code."""
        return self.process.end() if self.process else None

    end = stop

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()

    def restart(self):
        self.kill()
        return self.start()

    def address(self, scheme, credentials, port):
        user = ":%s@" % self.password if credentials and self.password else ""
        return "%s://%s127.0.0.1:%d/%d" % (scheme, user, port, self.database)

    @property
    def url(self):
        return self.address("redis", True, self.port)

    @property
    def url_without_password(self):
        return self.address("redis", False, self.port)

    @property
    def tls_url(self):
        return self.address("rediss", True, self.tls_port)

    def cli(self, *arguments):
        """What redis-cli prints, as when it is piped: no quotes, no types."""
        words = ["redis-cli", "-p", str(self.port), "-n", str(self.database)]
        words += ["-a", self.password, "--no-auth-warning"] if self.password else []
        return subprocess.run([*words, *map(str, arguments)], text=True, capture_output=True, timeout=PATIENCE_S).stdout

    def client(self, **more):
        """A redis-py client."""
        import redis
        return redis.Redis.from_url(self.url, **more)
