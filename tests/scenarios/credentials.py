#!/usr/bin/python3
"""Ways to log in that are more than a password, against real servers: a credentials file of NATS, signed by the server's
operator; a client's certificate at RabbitMQ. Each with somebody whom the server must refuse."""

import json
import tempfile

import support
from support import Scenario, main

from servers import nats, rabbitmq
from servers.nats_operator import Operator


def event(number):
    return {"specversion": "1.0", "id": "e%d" % number, "source": "/s", "type": "t.a", "data": {"n": number}}


EVENTS = "".join(json.dumps(event(n)) + "\n" for n in range(50))


class Credentials(Scenario):
    def config(self, name, **parts):
        file = self.folder / (name + ".yaml")
        file.write_text(json.dumps({"sluice": 1, "drain_deadline": "1s"} | parts))
        return file

    def publish(self, klass, config, code=0):
        file = self.config("publish", sources={"in": {"class": "stdin"}}, backends={"out": {"class": klass, "inputs": ["in"], "config": config}})
        ran = self.run_sluice("run", file, stdin=EVENTS)
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        return ran.stdout + ran.stderr

    def read(self, klass, config):
        log = self.folder / "read.jsonl"
        file = self.config("read", sources={"in": {"class": klass, "config": config}},
                           backends={"log": {"class": "event_log", "inputs": ["in"], "config": {"path": str(log)}}})
        host = self.host(file, dialect="native", door=False)
        ids = lambda: [json.loads(line)["id"] for line in support.whole_lines(log)]
        support.wait_for(lambda: len(ids()) >= 50, host.text)
        self.assertEqual(host.end(), 0, host.text())
        return ids()


class NatsCredentials(Credentials):
    def test_a_credentials_file_opens_jetstream_both_ways_and_anothers_is_refused(self):
        operator = Operator()
        server = self.keep(nats.Server(self.folder, **operator.settings())).start()
        mine = {"servers": [server.url], "credentials_file": str(operator.credentials(self.folder / "user.creds"))}
        self.publish("nats", mine | {"stream": "S", "subject": "s"})
        self.assertEqual(self.read("nats", mine | {"stream": "S", "durable_name": "d"}), ["e%d" % n for n in range(50)])

        stranger = mine | {"credentials_file": str(Operator().credentials(self.folder / "stranger.creds"))}
        said = self.publish("nats", stranger | {"stream": "S", "subject": "s"}, code=1)
        self.assertIn("credentials_file", said)
        self.assertNotIn("NKEY", said)
        nobody = {"servers": [server.url], "stream": "S", "subject": "s"}
        self.assertIn("check user and password, token or credentials_file", self.publish("nats", nobody, code=1))


class RabbitCertificates(Credentials):
    def test_a_server_that_asks_for_a_certificate_takes_the_right_one_and_no_other(self):
        server = rabbitmq.Server(self.folder, tls=True, ask_clients=True)
        self.addCleanup(server.stop)
        channel = server.start().connection().channel()
        channel.queue_declare("q", durable=True)
        given = server.certificates
        tls = {"ca_file": str(given.authority)}
        mine = tls | {"cert_file": str(given.client.certificate), "key_file": str(given.client.key)}
        to = {"url": server.tls_url, "exchange": "", "routing_key": "q"}
        self.publish("rabbitmq", to | {"tls": mine})
        self.assertEqual(self.read("rabbitmq", {"url": server.tls_url, "queue": "q", "tls": mine}), ["e%d" % n for n in range(50)])

        self.publish("rabbitmq", to | {"tls": tls}, code=1)
        with tempfile.TemporaryDirectory() as folder:
            from servers.tls import Certificates
            stranger = Certificates(folder).client  # of an authority that the server does not know
            self.publish("rabbitmq", to | {"tls": tls | {"cert_file": str(stranger.certificate), "key_file": str(stranger.key)}}, code=1)
        self.assertEqual(channel.queue_declare("q", passive=True).method.message_count, 0)


if __name__ == "__main__":
    main()
