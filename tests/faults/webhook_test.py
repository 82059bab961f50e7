"""A far side that misbehaves: each event is delivered or in the dead letters with the reason, never lost.

The receiver is a real HTTP server in this process; what it does to a request is the test's to say."""
import collections
import json
import socket
import struct
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fault

EVENTS = 12


class FarSide:
    """Answers as `behaviour(request, nth)` does; nth counts the tries of that event from 1. Keeps who got a 2xx."""

    def __init__(self, behaviour):
        self.tries, self.delivered, self.requests = collections.Counter(), [], 0
        self.released = threading.Event()  # ends the hanging ones
        self.lock = threading.Lock()
        far_side = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with far_side.lock:
                    far_side.requests += 1
                    far_side.tries[self.event["id"]] += 1
                    nth = far_side.tries[self.event["id"]]
                behaviour(self, nth)

            def answer(self, status, body=b"", **headers):
                if status < 300:
                    with far_side.lock:
                        far_side.delivered.append(self.event["id"])
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def hang(self):
                far_side.released.wait(fault.RUN_S)
                self.close_connection = True

            def reset(self):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True

            def garbage(self):
                self.connection.sendall(b"\x00\xff this is not HTTP \r\n\r\n")
                self.close_connection = True

            def log_message(self, *_):
                pass

            def finish(self):
                try:
                    super().finish()
                except (OSError, ValueError):
                    pass  # the connection was reset on purpose

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # the same

        self.server = Quiet(("127.0.0.1", 0), Request)
        self.url = "http://127.0.0.1:%d/hook" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class WebhookTest(fault.Fault):
    def deliver(self, behaviour, attempts=2, **config):
        """Runs EVENTS events to their end against a far side that behaves so. Returns it with the dead letters by id."""
        far_side = self.keep(FarSide(behaviour))
        sent, parked = self.events(EVENTS), self.folder / "parked.jsonl"
        delivery = {"retry": {"max_attempts": attempts, "delay": "10ms", "jitter": "none"}, "breaker": False,
                    "dead_letter": "parked"}
        graph = self.graph({"in": fault.file_source(sent, stop_at_end=True)},
                           {"out": {"class": "webhook", "inputs": ["in"], "delivery": delivery,
                                    "config": {"url": far_side.url, "timeout_seconds": 0.5, **config}},
                            "parked": {"class": "event_log", "config": {"path": str(parked)}}})
        ended = self.run_to_end(graph)
        self.assertEqual(ended.returncode, 0, ended.stdout)
        letters = [json.loads(line) for line in parked.read_bytes().splitlines()] if parked.exists() else []
        dead = {letter["id"]: letter for letter in letters}
        self.assertEqual(len(dead), len(letters), "a dead letter stands there twice")
        ids = {json.loads(line)["id"] for line in (self.folder / "in.jsonl").read_bytes().splitlines()}
        self.assertEqual(set(far_side.delivered) | set(dead), ids, ended.stdout)
        for letter in letters:
            for name in ("node", "reason", "attempts", "first", "last"):
                self.assertTrue(letter.get("sluiceerror" + name), letter)
            self.assertEqual(letter["sluiceerrornode"], "out")
        self.said = ended.stdout
        return far_side, dead

    def assert_all_dead(self, far_side, dead, attempts):
        self.assertEqual(len(dead), EVENTS)
        self.assertEqual({letter["sluiceerrorattempts"] for letter in dead.values()}, {str(attempts)})
        self.assertEqual(set(far_side.tries.values()), {attempts})

    def assert_all_delivered(self, far_side, dead, tries):
        self.assertEqual(dead, {})
        self.assertEqual(len(far_side.delivered), EVENTS)
        self.assertEqual(set(far_side.tries.values()), {tries})

    def test_hangs_once(self):
        """Webhook: delivered at the second try, when the first one hangs."""
        self.assert_all_delivered(*self.deliver(lambda r, nth: r.hang() if nth == 1 else r.answer(204)), tries=2)

    def test_hangs_always(self):
        """Webhook: dead letters name the timeout, when the far side never answers."""
        far_side, dead = self.deliver(lambda r, nth: r.hang())
        self.assert_all_dead(far_side, dead, attempts=2)
        for letter in dead.values():
            self.assertRegex(letter["sluiceerrorreason"].lower(), "time|answer")

    def test_resets_once(self):
        """Webhook: delivered at the second try, when the first connection is reset."""
        self.assert_all_delivered(*self.deliver(lambda r, nth: r.reset() if nth == 1 else r.answer(204)), tries=2)

    def test_resets_always(self):
        """Webhook: dead letters after all attempts, when every connection is reset."""
        self.assert_all_dead(*self.deliver(lambda r, nth: r.reset()), attempts=2)

    def test_garbage(self):
        """Webhook: dead letters after all attempts, when what comes back is no HTTP."""
        self.assert_all_dead(*self.deliver(lambda r, nth: r.garbage()), attempts=2)

    def test_too_many_requests(self):
        """Webhook: every event is delivered and no attempt is charged, when 429 asks to wait."""
        turned_away = []

        def behaviour(request, _):
            if len(turned_away) < 3:
                turned_away.append(request.event["id"])
                return request.answer(429, Retry_After="1")
            return request.answer(204)

        far_side, dead = self.deliver(behaviour, attempts=1, max_in_flight=1)
        self.assertEqual(dead, {})
        self.assertEqual(len(far_side.delivered), EVENTS)
        self.assertEqual(len(turned_away), 3)

    def test_server_error_then_ok(self):
        """Webhook: delivered at the third try, when the far side fails twice with 503."""
        self.assert_all_delivered(*self.deliver(lambda r, nth: r.answer(503 if nth < 3 else 204), attempts=3), tries=3)

    def test_server_error_always(self):
        """Webhook: dead letters carry the status, when the far side always fails with 500."""
        far_side, dead = self.deliver(lambda r, nth: r.answer(500, b"out of cheese"), attempts=3)
        self.assert_all_dead(far_side, dead, attempts=3)
        self.assertEqual({letter["sluiceerrorcode"] for letter in dead.values()}, {"500"})

    def test_refused(self):
        """Webhook: one try each and the answer's text in the dead letter, when the far side says 400."""
        far_side, dead = self.deliver(lambda r, nth: r.answer(400, b"no such document"), attempts=5)
        self.assert_all_dead(far_side, dead, attempts=1)
        for letter in dead.values():
            self.assertIn("no such document", letter["sluiceerrorreason"])

    def test_gone(self):
        """Webhook: that URL is not asked again and everything is in the dead letters, when it says 410."""
        far_side, dead = self.deliver(lambda r, nth: r.answer(410), max_in_flight=1)
        self.assertEqual(len(dead), EVENTS)
        self.assertEqual(far_side.requests, 1, self.said)

    def test_redirect(self):
        """Webhook: a redirect is not followed, when the far side answers 302."""
        far_side, dead = self.deliver(lambda r, nth: r.answer(302, Location="/elsewhere"))
        self.assertEqual(len(dead), EVENTS)
        self.assertEqual(far_side.requests, EVENTS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
