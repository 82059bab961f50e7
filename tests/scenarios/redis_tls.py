#!/usr/bin/python3
"""Redis over TLS, both ways: rediss:// to a server whose certificate is right, and not a byte to one whose is not. Where the
client library has no TLS (hiredis 0.14, Debian 12), rediss:// is refused with the cure; what needs TLS skips then."""

import json
import unittest

from support import Host, Scenario, main, wait_for

from servers import tls as certificates
from servers.redis import Server

STREAM = "nlp-events"


def event(number):
    return json.dumps({"specversion": "1.0", "id": "evt_%d" % number, "source": "/tls", "type": "t", "data": {"n": number}})


class RedisTls(Scenario):
    def certificates(self):
        return certificates.Certificates(self.folder / "tls")

    def configured(self, url, tls, name="graph"):
        """A file source into Redis, and Redis into a log."""
        settings = {"url": url, "tls": {key: str(value) for key, value in tls.items()}, "source_stream": STREAM,
                    "consumer_group": "readers", "consumer_name": "one"}
        backend = {"url": url, "tls": settings["tls"], "stream_name": STREAM}
        (self.folder / "in.jsonl").write_text("\n".join(event(i) for i in range(3)) + "\n")
        config = self.folder / (name + ".json")
        config.write_text(json.dumps({
            "sluice": 1, "log": {"format": "json"}, "drain_deadline": "1s",
            "sources": {"lines": {"class": "file", "config": {"paths": [str(self.folder / "in.jsonl")], "from": "beginning",
                                                              "checkpoint": str(self.folder / (name + ".checkpoint"))}},
                        "stream": {"class": "redis_streams", "config": settings}},
            "backends": {"redis": {"class": "redis_streams", "inputs": ["lines"], "config": backend},
                         "log": {"class": "event_log", "inputs": ["stream"],
                                 "config": {"path": str(self.folder / (name + ".out.jsonl")), "fsync": "never"}}}}))
        return config

    def logged(self, name="graph"):
        path = self.folder / (name + ".out.jsonl")
        return sorted(json.loads(line)["id"] for line in path.read_text().splitlines()) if path.exists() else []

    def run_host(self, config, name="sluice"):
        return self.keep(Host(self.folder, config, dialect="native", door=False, name=name))

    def need_tls(self):
        checked = self.run_sluice("check", self.configured("rediss://127.0.0.1:1/1", {}, "probe"))
        if "rediss:// needs TLS" in checked.stdout + checked.stderr:
            self.assertIn("hiredis 1.x", checked.stdout + checked.stderr)
            self.assertEqual(checked.returncode, 78)
            raise unittest.SkipTest("the client library has no TLS, and says so")

    def server(self, made, certificate=None, **more):
        server = Server(self.folder / "server", tls=made, certificate=certificate, **more).start()
        self.addCleanup(server.stop)
        return server

    def test_events_go_in_and_come_back_over_tls_with_a_password(self):
        self.need_tls()
        made = self.certificates()
        server = self.server(made, auth=True)
        host = self.run_host(self.configured(server.tls_url, {"ca_file": made.authority}))
        wait_for(lambda: self.logged() == ["evt_0", "evt_1", "evt_2"], lambda: "the events, of\n" + host.text())
        self.assertEqual(server.cli("XLEN", STREAM).strip(), "3")
        self.assertEqual(host.end(), 0, host.text())

    def test_the_host_name_is_what_the_certificate_is_checked_for(self):
        self.need_tls()
        made = self.certificates()
        server = self.server(made)
        url = server.tls_url.replace("127.0.0.1", "localhost")
        host = self.run_host(self.configured(url, {"ca_file": made.authority}))
        wait_for(lambda: len(self.logged()) == 3, lambda: "the events, of\n" + host.text())

    def test_a_server_that_asks_for_a_certificate_gets_ours(self):
        self.need_tls()
        made = self.certificates()
        server = self.server(made, **{"tls_auth_clients": "yes"})
        trusting = {"ca_file": made.authority}
        ours = trusting | {"certificate_file": made.client.certificate, "key_file": made.client.key}
        stranger = self.run_host(self.configured(server.tls_url, trusting, "stranger"), "stranger")
        stranger.wait_for_line("Not reachable at start", "\"redis\"")
        self.assertEqual(server.cli("XLEN", STREAM).strip(), "0")
        host = self.run_host(self.configured(server.tls_url, ours))
        wait_for(lambda: len(self.logged()) == 3, lambda: "the events, of\n" + host.text())

    def test_a_certificate_that_is_not_right_gets_nothing(self):
        self.need_tls()
        made = self.certificates()
        for name, pair in made.twins.items():
            with self.subTest(name):
                server = Server(self.folder / name, tls=made, certificate=pair).start()
                try:
                    host = self.run_host(self.configured(server.tls_url, {"ca_file": made.authority}, name), "sluice-" + name)
                    line, = host.wait_for_line("Not reachable at start", "\"redis\"")[:1]
                    self.assertRegex(line, "TLS.*certificate")
                    host.end()
                    self.assertEqual(server.cli("XLEN", STREAM).strip(), "0")
                    self.assertEqual(self.logged(name), [])
                finally:
                    server.stop()

    def test_an_authority_that_nobody_named_is_not_trusted(self):
        self.need_tls()
        made = self.certificates()
        server = self.server(made)
        host = self.run_host(self.configured(server.tls_url, {}))
        host.wait_for_line("Not reachable at start", "\"redis\"")
        self.assertEqual(server.cli("XLEN", STREAM).strip(), "0")


if __name__ == "__main__":
    main()
