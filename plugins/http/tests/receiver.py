#!/usr/bin/python3
"""A webhook receiver for tests: what the path names is what it does. Prints its port, then one JSON line a request.

usage: receiver.py [--tls CERT KEY]
paths: /ok /hang /reset /garbage /cut /long /status/NNN[?retry-after=…] /redirect /once/NNN (first NNN, then 204)
       /slow-handshake is not a path: TLS faults come from the certificate that the test gives.
"""
import json
import socket
import ssl
import struct
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

said = threading.Lock()
seen_once = set()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def tell(self, body):
        line = json.dumps({"method": self.command, "path": self.path, "peer": self.client_address[1],
                           "headers": [[k, v] for k, v in self.headers.items()], "body": body.decode("utf-8", "replace")})
        with said:
            print(line, flush=True)

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_OPTIONS(self):
        self.tell(b"")
        granted = self.path.startswith("/consent")
        self.answer(200, [("WebHook-Allowed-Origin", "*"), ("WebHook-Allowed-Rate", "2")] if granted else [])

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.tell(body)
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.strip("/").split("/")
        if parts[0] == "hang":
            threading.Event().wait(60)
        elif parts[0] == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif parts[0] == "garbage":
            self.wfile.write(b"\x16\x03 this is no HTTP\r\n\r\n")
            self.close_connection = True
        elif parts[0] == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
            self.close_connection = True
        elif parts[0] == "long":
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                self.close_connection = True
        elif parts[0] == "redirect":
            self.answer(302, [("Location", "/ok")])
        elif parts[0] == "once" and self.path not in seen_once:
            seen_once.add(self.path)
            self.answer(int(parts[1]), [("Retry-After", "7")], b"not yet")
        elif parts[0] == "status":
            headers = [("Retry-After", query["retry-after"])] if "retry-after" in query else []
            self.answer(int(parts[1]), headers, b"why:\x01\xff it is\n so")
        else:
            self.answer(204)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):  # resets and refused certificates are the point of the tests
        pass


server = Server(("127.0.0.1", 0), Receiver)
if len(sys.argv) > 1 and sys.argv[1] == "--tls":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
