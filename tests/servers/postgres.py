"""A real PostgreSQL for a test, which loses nothing when it is killed (fsync and synchronous_commit on, its defaults).

    server = Server(folder).start()
    server.url, server.query("SELECT 1")        # rows as lists of texts
    server.kill(); server.start()               # the same port and data; restart() does both

PostgreSQL refuses to run as root: then it runs as Debian's user postgres."""

import glob
import os
import pathlib
import shutil
import subprocess

from support import PATIENCE_S, Process, environment, free_port, wait_for

PASSWORD = "only-for-tests"
START_S = 120  # recovery after a kill, on a busy machine


def program(name):
    """Debian keeps the server's programs out of PATH."""
    found = shutil.which(name) or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name), reverse=True)), None)
    if found is None:
        raise AssertionError("%s is missing: install Debian's postgresql" % name)
    return found


def unprivileged():
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.getuid() == 0 else []


class Server:
    def __init__(self, folder, port=None, **more):
        """`more` are settings of postgresql.conf: max_connections=5."""
        self.folder = pathlib.Path(folder) / "postgres"
        self.folder.mkdir(parents=True)
        self.data = self.folder / "data"
        self.port = port or free_port()
        self.settings = more
        self.process = None
        if os.getuid() == 0:
            # It must reach its data through folders that only their owner may enter.
            os.chmod(folder, 0o755)
            shutil.chown(self.folder, "postgres", "postgres")
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        subprocess.run([*unprivileged(), program("initdb"), "-D", self.data, "-U", "sluice", "--pwfile", secret, "-A",
                        "scram-sha-256", "-E", "UTF8", "--locale", "C"], check=True, capture_output=True, cwd=self.folder)

    def start(self):
        """Starts it and waits until it answers."""
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder, "port": self.port} | self.settings
        words = [word for name, value in settings.items() for word in ("-c", "%s=%s" % (name, value))]
        self.process = Process([*unprivileged(), program("postgres"), "-D", self.data, *words], self.folder, "postgres")
        wait_for(lambda: self.process.process.poll() is not None or self.psql("SELECT 1").returncode == 0,
                 lambda: "PostgreSQL to answer, which printed:\n" + self.process.text(), START_S)
        if self.process.process.poll() is not None:
            raise AssertionError("postgres ended with %d:\n%s" % (self.process.process.returncode, self.process.text()))
        return self

    def stop(self):
        """SIGINT: fast shutdown, which does not wait for clients."""
        return self.process.end(2) if self.process else None

    end = stop

    def kill(self):
        """The postmaster alone: its children see that it is gone, and the next one waits until the last has ended."""
        self.process.process.kill()
        self.process.process.wait()

    def restart(self):
        self.kill()
        return self.start()

    @property
    def url(self):
        return "postgresql://sluice:%s@127.0.0.1:%d/postgres" % (PASSWORD, self.port)

    def psql(self, sql):
        return subprocess.run(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-F", "|", "-d", self.url, "-c", sql],
                              capture_output=True, text=True, timeout=PATIENCE_S, env=environment())

    def query(self, sql):
        ran = self.psql(sql)
        if ran.returncode != 0:
            raise AssertionError(sql + ": " + ran.stderr)
        return [line.split("|") for line in ran.stdout.splitlines()]
