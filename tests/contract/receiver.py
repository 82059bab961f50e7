#!/usr/bin/python3
"""A receiver of webhooks that remembers: receiver.py PORT FOLDER LIMIT TOKEN. A request to /PLACE is appended to
FOLDER/PLACE.received, a JSON line with its headers and body, before it is answered; what was answered survives a kill.

404 where FOLDER/PLACE.open is missing, 429 while FOLDER/PLACE.full exists, 401 without the token, 413 over the limit."""

import base64
import json
import pathlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, FOLDER, LIMIT, TOKEN = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
writing = threading.Lock()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body of an answer in one packet

    def log_message(self, *_):
        pass

    def do_POST(self):
        place, size = self.path.strip("/"), int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        if len(body) < size:
            self.close_connection = True
            return
        if self.headers.get("Authorization") != "Bearer " + TOKEN:
            self.answer(401, "who are you")
        elif not (FOLDER / (place + ".open")).exists():
            self.answer(404, "there is no " + place)
        elif (FOLDER / (place + ".full")).exists():
            self.answer(429, "no room")  # a 5xx would use up attempts
        elif size > LIMIT:
            self.answer(413, "more than %d bytes" % LIMIT)
        else:
            line = json.dumps({"headers": dict(self.headers.items()), "body": base64.b64encode(body).decode()}) + "\n"
            with writing, open(FOLDER / (place + ".received"), "a") as out:
                out.write(line)
            self.answer(200, "")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


Server(("127.0.0.1", PORT), Receiver).serve_forever()
