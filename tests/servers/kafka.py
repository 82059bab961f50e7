"""A real Apache Kafka for a test: one process that is broker and controller (KRaft), whose data survive a kill.

    server = Server(folder).start()             # auth=True: SCRAM and PLAIN users; tls=True: encrypted doors, twins too
    server.url                                  # bootstrap servers of the plain door
    server.urls["sasl_ssl"], server.urls["sasl_plaintext"], server.urls["ssl"], server.urls["wrong_name"] …
    server.create_topic("nlp", partitions=3)
    server.kill(); server.start()               # the same ports and data; restart() does both

Topics are not made by using them (a test can ask for that: auto_create_topics_enable="true"). `more` are settings of
the broker with _ for dots: message_max_bytes=2097152. The jars come from tests/kafka/install; without them available()
is false."""

import os
import pathlib
import shutil
import socket
import subprocess

from support import Process, free_port, wait_for

from servers import tls as certificates

HOME = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "sluice" / "kafka"
USER, PASSWORD = "sluice", "only-for-tests"
CLUSTER = "c2x1aWNlLXRlc3RzLTEyMw"
PATIENCE_S = 120  # a Java program on a busy machine
JAVA = ["java", "-Xmx320m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
        "-Djava.awt.headless=true", "-Dorg.xerial.snappy.tempdir={folder}"]

# Small, quick to start, and nothing that waits for brokers that do not exist. Data that were confirmed are in the page
# cache at least, which outlives a killed process.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAIN",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "log.segment.bytes": "67108864",
    "log.index.size.max.bytes": "262144",
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    "initial.broker.registration.timeout.ms": "120000",
}
LOG4J = """log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
"""


def available():
    return (HOME / ".pom").exists() and shutil.which("java") is not None


class Server:
    def __init__(self, folder, tls=False, auth=False, **more):
        self.folder = pathlib.Path(folder) / "kafka"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificates = certificates.Certificates(pathlib.Path(folder) / "tls") if tls is True else tls or None
        self.user, self.password = USER, PASSWORD
        self.doors = {"plain": "PLAINTEXT"}
        if auth:
            self.doors["sasl_plaintext"] = "SASL_PLAINTEXT"
        if self.certificates:
            self.doors |= {"ssl": "SSL"} | {name: "SSL" for name in self.certificates.twins}
        if auth and self.certificates:
            self.doors["sasl_ssl"] = "SASL_SSL"
        self.ports = {name: free_port() for name in [*self.doors, "controller"]}
        self.port = self.ports["plain"]
        self.urls = {name: "%s:%d" % (self.host(name), self.ports[name]) for name in self.doors}
        self.url = self.urls["plain"]
        self.settings = SETTINGS | dict(self.wiring()) | {name.replace("_", "."): str(value) for name, value in more.items()}
        self.process = None
        self.is_formatted = False

    def host(self, door):
        return "localhost" if self.doors[door].endswith("SSL") else "127.0.0.1"

    def wiring(self):
        """Doors, users and certificates as the broker's settings."""
        addresses = {name.upper(): "127.0.0.1:%d" % port for name, port in self.ports.items()}
        yield "listeners", ",".join("%s://%s" % each for each in addresses.items())
        yield "advertised.listeners", ",".join("%s://%s" % (name.upper(), url) for name, url in self.urls.items())
        protocols = {name.upper(): protocol for name, protocol in self.doors.items()} | {"CONTROLLER": "PLAINTEXT"}
        yield "listener.security.protocol.map", ",".join("%s:%s" % each for each in protocols.items())
        yield "controller.quorum.voters", "1@127.0.0.1:%d" % self.ports["controller"]
        yield "log.dirs", str(self.folder / "data")
        for name, protocol in self.doors.items():
            door = "listener.name.%s." % name
            if protocol.startswith("SASL"):
                yield door + "sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
                module = "org.apache.kafka.common.security."
                yield (door + "plain.sasl.jaas.config", '%splain.PlainLoginModule required username="%s" password="%s" user_%s="%s";'
                       % (module, USER, PASSWORD, USER, PASSWORD))
                for mechanism in ("scram-sha-256", "scram-sha-512"):
                    yield door + mechanism + ".sasl.jaas.config", module + "scram.ScramLoginModule required;"
            if protocol.endswith("SSL"):
                pair = self.certificates.twins.get(name, self.certificates.server)
                yield door + "ssl.keystore.type", "PEM"
                yield door + "ssl.keystore.location", str(pair.both)

    def java(self, main, *arguments):
        (self.folder / "log4j.properties").write_text(LOG4J)
        options = [part.format(folder=self.folder) for part in JAVA]
        return [*options, "-Dlog4j.configuration=file:%s/log4j.properties" % self.folder, "-cp", str(HOME / "jars") + "/*", main,
                *map(str, arguments)]

    def format(self):
        """Makes the empty store, with the users in it."""
        users = ["--add-scram=SCRAM-SHA-%d=[name=%s,password=%s]" % (bits, USER, PASSWORD)
                 for bits in (256, 512) if "sasl_plaintext" in self.doors]
        ran = subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.config, *users),
                             capture_output=True, text=True, timeout=PATIENCE_S)
        if ran.returncode != 0:
            raise AssertionError("formatting Kafka's store failed:\n" + ran.stdout + ran.stderr)
        self.is_formatted = True

    def start(self):
        """Starts it and waits until it answers requests."""
        self.config = self.folder / "server.properties"
        self.config.write_text("".join("%s=%s\n" % each for each in self.settings.items()))
        if not self.is_formatted:
            self.format()
        self.process = Process(self.java("kafka.Kafka", self.config), self.folder, "kafka")
        wait_for(lambda: self.process.process.poll() is not None or self.answers(),
                 lambda: "Kafka to answer, which printed:\n" + self.process.text(), PATIENCE_S)
        if self.process.process.poll() is not None:
            raise AssertionError("Kafka ended with %d:\n%s" % (self.process.process.returncode, self.process.text()))
        return self

    def answers(self):
        """Metadata (version 1, all topics) name the broker once it may serve."""
        request = bytes.fromhex("0003 0001 00000001 0004".replace(" ", "")) + b"test" + bytes.fromhex("ffffffff")
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
                peer.sendall(len(request).to_bytes(4, "big") + request)
                answer = peer.recv(64)
                return len(answer) >= 12 and int.from_bytes(answer[8:12], "big") >= 1
        except OSError:
            return False

    def stop(self):
        """SIGTERM. The exit code."""
        return self.process.end() if self.process else None

    end = stop

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()

    def restart(self):
        self.kill()
        return self.start()

    def admin(self):
        from kafka import KafkaAdminClient
        return KafkaAdminClient(bootstrap_servers=self.url)

    def create_topic(self, name, partitions=1, **settings):
        """settings with _ for dots: max_message_bytes=2097152."""
        from kafka.admin import NewTopic
        admin = self.admin()
        configs = {key.replace("_", "."): str(value) for key, value in settings.items()}
        admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
        admin.close()
        wait_for(lambda: name in self.topics(), "the topic " + name)

    def topics(self):
        admin = self.admin()
        try:
            return admin.list_topics()
        finally:
            admin.close()

    def producer(self, **more):
        from kafka import KafkaProducer
        return KafkaProducer(bootstrap_servers=self.url, **more)

    def consumer(self, *topics, **more):
        from kafka import KafkaConsumer
        more = {"auto_offset_reset": "earliest", "consumer_timeout_ms": 5000} | more
        return KafkaConsumer(*topics, bootstrap_servers=self.url, **more)
