"""What other tests rely on: the NATS server keeps what it confirmed, asks for its password, and serves TLS."""

import pathlib
import shutil
import ssl
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from servers.nats import Server  # noqa: E402

STREAM = '{"name": "S", "subjects": ["s"], "storage": "file"}'


class NatsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-servers-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def server(self, **more):
        server = Server(self.folder, **more).start()
        self.addCleanup(server.stop)
        return server

    def test_what_was_confirmed_is_there_after_a_kill(self):
        server = self.server()
        server.ask("$JS.API.STREAM.CREATE.S", STREAM)
        for number in range(100):
            self.assertEqual(server.ask("s", str(number))["seq"], number + 1)
        server.restart()
        self.assertEqual(server.length("S"), 100)

    def test_without_the_password_nothing_is_answered(self):
        for more in ({"auth": True}, {"token": True}):
            server = Server(self.folder, **more).start()
            self.addCleanup(server.stop)
            self.assertIsNotNone(server.ask("$JS.API.INFO"))
            server.user = server.token = None
            with self.assertRaisesRegex(AssertionError, "Authorization"):
                server.ask("$JS.API.INFO")

    def test_tls_is_served_with_the_certificate_that_was_asked_for(self):
        server = self.server(tls=True)
        context = ssl.create_default_context(cafile=str(server.certificates.authority))
        for certificate, good in ((server.certificates.server, True), (server.certificates.wrong_name, False)):
            with self.subTest(good=good):
                twin = Server(self.folder / str(good), tls=server.certificates, certificate=certificate).start()
                self.addCleanup(twin.stop)
                with socket.create_connection(("127.0.0.1", twin.port), timeout=30) as plain:
                    plain.recv(4096)  # INFO, before the handshake
                    if good:
                        context.wrap_socket(plain, server_hostname="localhost").close()
                    else:
                        with self.assertRaises(ssl.SSLCertVerificationError):
                            context.wrap_socket(plain, server_hostname="localhost")


if __name__ == "__main__":
    unittest.main(verbosity=2)
