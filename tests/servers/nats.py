"""A real nats-server for a test, with JetStream on file storage. The server writes a message into its file before it
acknowledges it, so that a kill of the process loses nothing; `sync_always` (nats-server 2.10 and newer) makes it wait for
the disk, too.

    server = Server(folder).start()            # or auth=True: a user; token=True: a token; tls=True: TLS only
    server.url                                 # with the credentials, nats:// or tls://
    server.ask("$JS.API.STREAM.INFO.S")        # one request, one answer (plain connections only)
    server.kill(); server.start()              # the same port and data; restart() does both"""

import json
import pathlib
import re
import socket
import subprocess

from support import PATIENCE_S, Process, free_port, wait_for

from servers import tls as certificates

USER, PASSWORD, TOKEN = "sluice", "only-for-tests", "only-for-tests-token"


def version():
    """(2, 9, 10)"""
    printed = subprocess.run(["nats-server", "--version"], capture_output=True, text=True, timeout=PATIENCE_S).stdout
    return tuple(int(part) for part in re.search(r"(\d+)\.(\d+)\.(\d+)", printed).groups())


class Server:
    def __init__(self, folder, tls=False, auth=False, token=False, port=None, jetstream=True, certificate=None, **more):
        """`tls`: True, or a tls.Certificates; `certificate`: the pair to serve instead of its good one. `auth`: True, or
        (user, password). `more` are settings of the server's configuration: max_payload="8MB"."""
        self.folder = pathlib.Path(folder) / "nats"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.user, self.password = ((USER, PASSWORD) if auth is True else auth) or (None, None)
        self.token = TOKEN if token is True else token or None
        self.certificates = certificates.Certificates(pathlib.Path(folder) / "tls") if tls is True else tls or None
        self.certificate = certificate or (self.certificates and self.certificates.server)
        self.jetstream = jetstream
        self.settings = more
        self.process = None
        self.starts = 0

    def configuration(self):
        yield "listen: 127.0.0.1:%d" % self.port
        if self.jetstream:
            sync = ", sync_interval: always" if version() >= (2, 10, 0) else ""
            yield 'jetstream { store_dir: "%s"%s }' % (self.folder / "data", sync)
        if self.user:
            yield 'authorization { user: "%s", password: "%s" }' % (self.user, self.password)
        if self.token:
            yield 'authorization { token: "%s" }' % self.token
        if self.certificate:
            yield 'tls { cert_file: "%s", key_file: "%s", timeout: 5 }' % (self.certificate.certificate, self.certificate.key)
        for name, value in self.settings.items():
            yield "%s: %s" % (name, value)

    def start(self):
        """Starts it and waits until it is ready, with everything loaded that it had stored."""
        (self.folder / "nats.conf").write_text("\n".join(self.configuration()) + "\n")
        self.starts += 1
        self.process = Process(["nats-server", "-c", self.folder / "nats.conf"], self.folder, "nats-%d-%d" % (self.port, self.starts))
        ended = self.process.process.poll
        wait_for(lambda: ended() is not None or self.process.lines("Server is ready"),
                 lambda: "nats-server to be ready, which printed:\n" + self.process.text())
        if ended() is not None:
            raise AssertionError("nats-server ended with %d:\n%s" % (ended(), self.process.text()))
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

    def address(self, credentials=""):
        host = "localhost" if self.certificate else "127.0.0.1"  # as the certificate says
        return "%s://%s%s:%d" % ("tls" if self.certificate else "nats", credentials, host, self.port)

    @property
    def url(self):
        if self.user:
            return self.address("%s:%s@" % (self.user, self.password))
        return self.address(self.token + "@" if self.token else "")

    @property
    def url_without_password(self):
        return self.address()

    def ask(self, subject, body="{}"):
        """The answer to one request, as JSON; None when nobody is there to answer."""
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}
        options |= {"user": self.user, "pass": self.password} if self.user else {}
        options |= {"auth_token": self.token} if self.token else {}
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            stream = connection.makefile("rwb")
            stream.readline()  # INFO
            stream.write(b"CONNECT %s\r\nSUB _INBOX.ask 1\r\nPUB %s _INBOX.ask %d\r\n%s\r\n" % (
                json.dumps(options).encode(), subject.encode(), len(body.encode()), body.encode()))
            stream.flush()
            while True:
                line = stream.readline()
                if line.startswith(b"HMSG"):
                    return None
                if line.startswith(b"MSG"):
                    return json.loads(stream.read(int(line.split()[-1])))
                if line.startswith(b"-ERR") or not line:
                    raise AssertionError("nats-server says %r" % line)

    def stream(self, name):
        """What STREAM.INFO tells: config and state. None without such a stream."""
        answer = self.ask("$JS.API.STREAM.INFO." + name)
        return answer if answer and "state" in answer else None

    def length(self, name):
        found = self.stream(name)
        return found["state"]["messages"] if found else 0
