"""What other tests rely on: the certificates are what their names say, and the Redis server keeps what it confirmed."""

import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.remove(str(pathlib.Path(__file__).resolve().parent))  # where "redis" would be ours
from servers.redis import Server  # noqa: E402
from servers.tls import Certificates  # noqa: E402
import redis  # noqa: E402


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-servers-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def redis(self, **more):
        server = Server(self.folder, **more).start()
        self.addCleanup(server.stop)
        return server


class CertificatesTest(Folder):
    def verified(self, tls, pair):
        return subprocess.run(["openssl", "verify", "-CAfile", tls.authority, "-verify_hostname", "localhost", "-purpose",
                               "sslserver", pair.certificate], capture_output=True, text=True)

    def test_the_server_is_accepted_and_each_twin_is_refused_for_its_own_reason(self):
        tls = Certificates(self.folder)
        self.assertEqual(self.verified(tls, tls.server).returncode, 0, self.verified(tls, tls.server).stderr)
        for name, reason in (("wrong_name", "hostname mismatch"), ("expired", "expired"), ("unknown", "unable to get local issuer")):
            refused = self.verified(tls, tls.twins[name])
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(reason, refused.stderr)


class RedisTest(Folder):
    def test_what_was_confirmed_is_there_after_a_kill(self):
        server = self.redis()
        for number in range(100):
            server.client().xadd("s", {"event": number})
        server.restart()
        self.assertEqual(server.client().xlen("s"), 100)

    def test_without_the_password_nothing_is_answered(self):
        server = self.redis(auth=True)
        self.assertTrue(server.client().ping())
        with self.assertRaises(redis.AuthenticationError):
            redis.Redis.from_url(server.url_without_password).ping()

    def test_tls_is_served_and_a_wrong_certificate_is_noticed(self):
        server = self.redis(tls=True)
        trust = {"ssl_ca_certs": str(server.certificates.authority), "ssl_check_hostname": True}
        self.assertTrue(redis.Redis.from_url(server.tls_url, **trust).ping())
        twin = Server(self.folder / "twin", tls=server.certificates, certificate=server.certificates.wrong_name).start()
        self.addCleanup(twin.stop)
        with self.assertRaises((redis.ConnectionError, ssl.SSLError)):
            redis.Redis.from_url(twin.tls_url, **trust).ping()


if __name__ == "__main__":
    unittest.main(verbosity=2)
