"""Slack as its documentation has it: incoming webhooks and chat.postMessage/chat.update, with their errors, their checks of a
payload, and rate limits. A thread of the test; what it took is in `messages`, every request in `requests`.

    slack = Server().start()
    slack.webhook_url, slack.api_url, slack.token
    slack.answer = "429 30" | "500" | "hang" | "invalid_payload" | None     # what the next requests get
    slack.messages                              # dicts: text, attachments, channel, ts, edited"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WEBHOOK_ERRORS = {"invalid_payload": 400, "user_not_found": 400, "channel_not_found": 404, "channel_is_archived": 410,
                  "action_prohibited": 403, "no_service": 404, "no_text": 400, "invalid_token": 403}
API_ERRORS = ("channel_not_found", "not_in_channel", "is_archived", "invalid_auth", "msg_too_long", "ratelimited",
              "internal_error", "invalid_blocks", "message_not_found")


def payload_problem(payload):
    """What Slack would refuse: its limits on blocks."""
    if not payload.get("text") and not payload.get("attachments"):
        return "no_text"
    for attachment in payload.get("attachments", []):
        if len(attachment["blocks"]) > 50:
            return "invalid_blocks"
        for block in attachment["blocks"]:
            texts = [block["text"]] if "text" in block else block.get("fields", []) + block.get("elements", [])
            limit = 2000 if "fields" in block else 3000
            if not texts or len(block.get("fields", [])) > 10:
                return "invalid_blocks"
            if any(text["type"] not in ("mrkdwn", "plain_text") or not 0 < len(text["text"]) <= limit for text in texts):
                return "invalid_blocks"
    return None


class Server:
    token = "xoxb-1-only-for-tests"
    path = "/services/T0/B0/only-for-tests"

    def __init__(self):
        self.answer, self.requests, self.messages = None, [], []
        self.lock, self.release = threading.Lock(), threading.Event()
        self.server = None
        self.port = 0

    @property
    def webhook_url(self):
        return "http://127.0.0.1:%d%s" % (self.port, self.path)

    @property
    def api_url(self):
        return "http://127.0.0.1:%d/api" % self.port

    def start(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.take(self, body)

            def say(self, status, body, headers=()):
                data = body.encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        class Threads(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self.server = Threads(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def take(self, request, body):
        with self.lock:
            self.requests.append((request.path, request.headers, body))
            answer = self.answer
        if answer == "hang":
            self.release.wait()
            return
        number = (answer or "").split()
        if number and number[0].isdigit():
            retry = [("Retry-After", number[1])] if len(number) > 1 else []
            request.say(int(number[0]), "rate_limited" if number[0] == "429" else "", retry)
        elif request.path == self.path:
            self.webhook(request, body, answer)
        else:
            self.api(request, body, answer)

    def webhook(self, request, body, error):
        payload = json.loads(body)
        problem = error or payload_problem(payload)
        if problem:
            return request.say(WEBHOOK_ERRORS.get(problem, 400), problem)
        with self.lock:
            self.messages.append(payload)
        request.say(200, "ok")

    def api(self, request, body, error):
        payload = json.loads(body)
        if request.headers["Authorization"] != "Bearer " + self.token:
            error = error or "invalid_auth"
        error = error or payload_problem(payload)
        found = [message for message in self.messages if message.get("ts") == payload.get("ts")]
        if request.path == "/api/chat.update" and not found:
            error = error or "message_not_found"
        if error:
            return request.say(200, json.dumps({"ok": False, "error": error}))
        with self.lock:
            if request.path == "/api/chat.update":
                found[0].update(payload, edited=True)
            else:
                payload |= {"ts": "1700000000.%06d" % len(self.messages), "channel": "C0123456"}
                self.messages.append(payload)
        request.say(200, json.dumps({"ok": True, "ts": payload["ts"], "channel": "C0123456"}))
