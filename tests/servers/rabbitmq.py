"""A real rabbitmq-server for a test: a node of its own with everything it writes in the test's folder.

    server = Server(folder).start()             # tls=True: a TLS listener beside the plain one; auth: its password
    server.url, server.tls_url, server.url_as("name", "password")
    server.ctl("list_queues", "name", "messages"), server.connection()
    server.kill(); server.start()               # SIGKILL of the machine that runs it; the same ports and data

Nothing that was confirmed is lost over a kill: the server confirms a persistent message in a durable queue when it is on
the disk, and one in a quorum queue when its log is. What must be durable is the client's to say. One trap: where the log of a
quorum queue lies is written half a second after the queue was declared, and killed before that, the server starts with an
empty one. sync() waits for it.

Each server has an epmd of its own (the daemon in which Erlang nodes look each other up), so that several run side by
side, whoever started them, and nothing stays behind."""

import pathlib
import shutil
import subprocess

from support import PATIENCE_S, Process, environment, free_port, listens, wait_for

from servers import tls as certificates

USER, PASSWORD = "sluice", "only-for-tests"
START_S = 300  # an Erlang node needs seconds, on a machine with other work minutes


def scripts():
    """Where the scripts lie that do not change the user: Debian's in /usr/sbin run everything as `rabbitmq`."""
    found = sorted(pathlib.Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
    return found[-1] if found else pathlib.Path(shutil.which("rabbitmq-server") or "/usr/sbin/rabbitmq-server").parent


class Server:
    def __init__(self, folder, tls=False, auth=True, port=None, certificate=None, ask_clients=False, **more):
        """`tls`: True, or a tls.Certificates; `certificate`: the pair to serve instead of its good one; `ask_clients`:
        TLS clients need a certificate. `auth`: the user's password, if not the usual one. `more` are settings of
        rabbitmq.conf, with _ for a dot: max_message_size=1000."""
        self.folder = pathlib.Path(folder) / "rabbitmq"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.epmd_port, self.distribution_port = free_port(), free_port()
        self.user, self.password = USER, PASSWORD if auth in (True, False) else auth
        self.certificates = certificates.Certificates(pathlib.Path(folder) / "tls") if tls is True else tls or None
        self.tls_port = free_port() if self.certificates else None
        self.certificate = certificate or (self.certificates and self.certificates.server)
        self.ask_clients = ask_clients
        self.settings = more
        self.process = self.epmd = None

    def configuration(self):
        lines = ["listeners.tcp.1 = 127.0.0.1:%d" % self.port, "default_user = " + self.user,
                 "default_pass = " + self.password, "loopback_users = none", "disk_free_limit.absolute = 20MB",
                 "vm_memory_high_watermark.absolute = 1GB", "log.file.level = info", "log.console = false"]
        if self.certificate:
            lines += ["listeners.ssl.1 = 127.0.0.1:%d" % self.tls_port,
                      "ssl_options.cacertfile = %s" % self.certificates.authority,
                      "ssl_options.certfile = %s" % (self.folder / "presented.pem"),
                      "ssl_options.keyfile = %s" % (self.folder / "presented.key"),
                      "ssl_options.verify = " + ("verify_peer" if self.ask_clients else "verify_none"),
                      "ssl_options.fail_if_no_peer_cert = " + ("true" if self.ask_clients else "false")]
        settings = {name.replace("__", "."): value for name, value in self.settings.items()}
        kept = [line for line in lines if line.split(" = ")[0] not in settings]
        return "\n".join(kept + ["%s = %s" % each for each in settings.items()]) + "\n"

    def environment(self):
        inherited = {name: value for name, value in environment().items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        folder = str(self.folder)
        return inherited | {
            "HOME": folder, "ERL_EPMD_PORT": str(self.epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "sluice-%d@localhost" % self.port, "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": folder + "/data", "RABBITMQ_LOG_BASE": folder + "/log",
            "RABBITMQ_CONFIG_FILE": folder + "/rabbitmq.conf", "RABBITMQ_ADVANCED_CONFIG_FILE": folder + "/advanced.config",
            "RABBITMQ_CONF_ENV_FILE": folder + "/none.conf", "RABBITMQ_ENABLED_PLUGINS_FILE": folder + "/plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": folder + "/generated", "RABBITMQ_PID_FILE": folder + "/pid",
            # The script becomes the Erlang machine instead of watching over it: a kill hits what it is meant for.
            "RABBITMQ_ALLOW_INPUT": "1", "RABBITMQ_SERVER_START_ARGS": "-noinput",
            # On few processors spinning schedulers take the time that the test's own programs need.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none"}

    def start(self):
        """Starts it and waits until a client can log in."""
        (self.folder / "rabbitmq.conf").write_text(self.configuration())
        (self.folder / "plugins").write_text("[].")
        if self.certificate:
            self.put_certificate(self.certificate)
        if self.epmd is None or self.epmd.process.poll() is not None:
            self.epmd = Process(["epmd", "-port", self.epmd_port, "-address", "127.0.0.1"], self.folder, "epmd")
            wait_for(lambda: listens(self.epmd_port), lambda: "epmd to start, which printed:\n" + self.epmd.text())
        self.process = Process([scripts() / "rabbitmq-server"], self.folder, "server", self.environment())
        try:
            wait_for(lambda: self.process.process.poll() is not None or self.answers(),
                     lambda: "rabbitmq-server to answer, which printed:\n" + self.process.text(), START_S)
            if self.process.process.poll() is not None:
                raise AssertionError("rabbitmq-server ended with %d:\n%s" % (self.process.process.returncode, self.process.text()))
        except BaseException:
            self.stop()
            raise
        return self

    def put_certificate(self, pair):
        shutil.copy(pair.certificate, self.folder / "presented.pem")
        shutil.copy(pair.key, self.folder / "presented.key")

    def present(self, pair):
        """From now on this certificate: a twin that must be refused, without a server of its own."""
        self.put_certificate(pair)
        self.ctl("eval", "ssl:clear_pem_cache().")

    def answers(self):
        import pika
        if not listens(self.port):
            return False
        try:
            self.connection().close()
            return True
        except (pika.exceptions.AMQPError, OSError):
            return False

    def stop(self):
        """As an operator would: SIGTERM. The exit code."""
        code = self.process.end() if self.process else None
        if self.epmd:
            self.epmd.end()
        return code

    end = stop

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()

    def restart(self):
        self.kill()
        return self.start()

    def sync(self):
        """Everything that was declared is on the disk."""
        self.ctl("eval", "[dets:sync(T)||T<-dets:all()].")

    def url_as(self, user, password, scheme="amqp", host="127.0.0.1"):
        return "%s://%s:%s@%s:%d/" % (scheme, user, password, host, self.tls_port if scheme == "amqps" else self.port)

    @property
    def url(self):
        return self.url_as(self.user, self.password)

    @property
    def tls_url(self):
        """By name: it is what the certificate is made for."""
        return self.url_as(self.user, self.password, "amqps", "localhost")

    def ctl(self, *arguments):
        """What rabbitmqctl prints. Seconds each time: it is an Erlang node of its own."""
        ran = subprocess.run([str(scripts() / "rabbitmqctl"), "-q", *map(str, arguments)], text=True, capture_output=True,
                             timeout=START_S, env=self.environment(), cwd=self.folder)
        if ran.returncode != 0:
            raise AssertionError("rabbitmqctl %s: %s%s" % (" ".join(map(str, arguments)), ran.stdout, ran.stderr))
        return ran.stdout

    def connection(self):
        """A pika connection, blocking."""
        import pika
        return pika.BlockingConnection(pika.ConnectionParameters(
            "127.0.0.1", self.port, credentials=pika.PlainCredentials(self.user, self.password), socket_timeout=PATIENCE_S))

    @property
    def pid(self):
        return self.process.process.pid
