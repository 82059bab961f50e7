"""A stand-in for a schema registry with Confluent's REST API: subjects with versions, ids that schemas keep, and the check
of compatibility (backward: what is required may not grow, and what was there keeps its type). No registry can be had here."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MEDIA = "application/vnd.schemaregistry.v1+json"


class Server:
    def __init__(self):
        self.schemas, self.subjects = [], {}
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status, body):
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", MEDIA)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def handle_one(self, body):
                self.answer(*registry.answer(self.command, self.path, body))

            def do_GET(self):
                self.handle_one(None)

            def do_POST(self):
                if self.headers.get("Content-Type") not in (MEDIA, "application/json"):
                    return self.answer(415, {"error_code": 415, "message": "Unsupported Media Type"})
                self.handle_one(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, body):
        path, _, query = path.partition("?")
        steps = [re.sub("%([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), step) for step in path.strip("/").split("/")]
        if method == "POST" and steps[0] == "subjects" and len(steps) == 3:
            return 200, {"id": self.register(steps[1], body["schema"])}
        if method == "GET" and steps[:2] == ["schemas", "ids"]:
            number = int(steps[2]) - 1
            if number >= len(self.schemas):
                return 404, {"error_code": 40403, "message": "Schema not found"}
            return 200, {"schema": self.schemas[number], "schemaType": "JSON"}
        if method == "POST" and steps[0] == "compatibility" and len(steps) == 5:
            versions = self.subjects.get(steps[2])
            if versions is None:
                return 404, {"error_code": 40401, "message": "Subject '%s' not found." % steps[2]}
            number = len(versions) if steps[4] == "latest" else int(steps[4])
            if not 1 <= number <= len(versions):
                return 404, {"error_code": 40402, "message": "Version %d not found." % number}
            try:
                new = json.loads(body["schema"])
            except ValueError:
                return 422, {"error_code": 42201, "message": "Invalid schema"}
            why = self.broken(json.loads(self.schemas[versions[number - 1] - 1]), new)
            return 200, {"is_compatible": not why} | ({"messages": why} if "verbose=true" in query else {})
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def register(self, subject, schema):
        if schema not in self.schemas:
            self.schemas.append(schema)
        number = self.schemas.index(schema) + 1
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    @staticmethod
    def broken(old, new):
        why = ["REQUIRED_ATTRIBUTE_ADDED at #/required: %s" % name
               for name in sorted(set(new.get("required", [])) - set(old.get("required", [])))]
        for name, was in old.get("properties", {}).items():
            now = new.get("properties", {}).get(name, was)
            if now.get("type") != was.get("type"):
                why.append("TYPE_CHANGED at #/properties/%s" % name)
        return why
