"""The proxy itself: what passes it is whole, and each fault does what it says."""
import pathlib
import socket
import sys
import threading
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / "scenarios")]

import proxy  # noqa: E402
from support import PATIENCE_S, wait_for  # noqa: E402


class Echo:
    """Sends back what it gets."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            while data := peer.recv(65536):
                peer.sendall(data)
        except OSError:
            pass


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.listener.close)

    def through(self, port, data):
        """What comes back of it, until as much came back or the connection broke."""
        got = b""
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as peer:
            try:
                peer.sendall(data)
                while len(got) < len(data):
                    part = peer.recv(65536)
                    if not part:
                        break
                    got += part
            except ConnectionError:
                pass
        return got

    def test_without_faults_everything_passes_whole(self):
        data = bytes(range(256)) * 2000
        with proxy.Proxy(self.echo.port, 1) as between:
            self.assertEqual(self.through(between.port, data), data)
            self.assertEqual(between.said, [])

    def test_a_drop_is_a_reset_after_so_many_bytes_and_the_next_connection_is_spared(self):
        data = b"x" * 100_000
        with proxy.Proxy(self.echo.port, 1, faults=1) as between:
            between.draw = lambda: None if between.said else ("down", 777, "drop")
            self.assertLessEqual(len(self.through(between.port, data)), 777)
            self.assertEqual(between.said, ["drop after 777 bytes down"])
            self.assertEqual(self.through(between.port, data), data)

    def test_after_a_delay_nothing_is_missing(self):
        data = bytes(range(256)) * 100
        with proxy.Proxy(self.echo.port, 1) as between:
            between.draw = lambda: None if between.said else ("up", 1000, "delay")
            self.assertEqual(self.through(between.port, data), data)
            self.assertEqual(between.said, ["delay after 1000 bytes up"])

    def test_the_same_seed_draws_the_same_faults(self):
        draws = []
        for _ in range(2):
            made = proxy.Proxy(self.echo.port, 42, faults=20)
            draws.append([made.draw() for _ in range(20)])
            made.said = ["done"] * 20
            self.assertIsNone(made.draw())
            made.listener.close()
            made.loop.close()
        self.assertEqual(draws[0], draws[1])
        self.assertEqual({what for _, _, what in draws[0]}, set(proxy.FAULTS))

    def test_held_back_nothing_passes_until_it_is_released(self):
        with proxy.Proxy(self.echo.port, 1) as between:
            between.hold()
            got = []
            thread = threading.Thread(target=lambda: got.append(self.through(between.port, b"abc")), daemon=True)
            thread.start()
            self.assertEqual(got, [])
            between.release()
            wait_for(lambda: got == [b"abc"], "what was held back")


if __name__ == "__main__":
    unittest.main(verbosity=2)
