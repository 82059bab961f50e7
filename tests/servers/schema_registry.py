"""A stand-in for a schema registry with Confluent's REST API: subjects with versions, ids that schemas keep, references,
levels and the check of compatibility (backward: what is required may not grow, and what was there keeps its type), basic and
bearer authentication, TLS. No registry can be had here. It can be slow, silent or wrong on purpose; `asked` is what it was
asked for."""

import base64
import json
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MEDIA = "application/vnd.schemaregistry.v1+json"


class Server:
    def __init__(self, auth=None, token=None, tls=None):
        """auth: (user, password). tls: (certificate, key), files."""
        self.schemas, self.subjects, self.asked, self.said = [], {}, [], {}
        self.auth, self.token, self.tls, self.level, self.port, self.server = auth, token, tls, "BACKWARD", 0, None
        self.go_on = threading.Event()  # what hold() keeps waiting goes on when it is set
        self.go_on.set()

    def allows(self, headers):
        said = headers.get("Authorization", "")
        if self.auth:
            return said == "Basic " + base64.b64encode(":".join(self.auth).encode()).decode()
        return not self.token or said == "Bearer " + self.token

    def handler(registry):
        class Handler(BaseHTTPRequestHandler):
            def answer(self, status, body):
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", MEDIA)
                self.send_header("Content-Length", str(len(text)))
                if status in (301, 302, 307):
                    self.send_header("Location", body["to"])
                self.end_headers()
                self.wfile.write(text)

            def handle_one(self, body):
                registry.asked.append(self.path)
                registry.go_on.wait(60)
                if not registry.allows(self.headers):
                    return self.answer(401, {"error_code": 40101, "message": "Unauthorized"})
                if self.path in registry.said:
                    return self.answer(*registry.said[self.path])
                self.answer(*registry.answer(self.command, self.path, body))

            def do_GET(self):
                self.handle_one(None)

            def do_POST(self):
                if self.headers.get("Content-Type") not in (MEDIA, "application/json"):
                    return self.answer(415, {"error_code": 415, "message": "Unsupported Media Type"})
                self.handle_one(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))

            def log_message(self, *_):
                pass

        return Handler

    def start(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), self.handler())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that has gone
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("https" if self.tls else "http", self.port)

    def stop(self):
        """The same port is used by the next start(); what was registered stays."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def hold(self):
        """From now on it takes requests and answers none, until go_on.set()."""
        self.go_on.clear()

    def answer(self, method, path, body):
        path, _, query = path.partition("?")
        steps = [re.sub("%([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), step) for step in path.strip("/").split("/")]
        if steps[0] == "config":
            return 200, {"compatibilityLevel": self.level}
        if method == "POST" and steps[0] == "subjects" and len(steps) == 3:
            return 200, {"id": self.register(steps[1], body["schema"])}
        if method == "GET" and steps[:2] == ["schemas", "ids"]:
            number = int(steps[2]) - 1
            if number >= len(self.schemas):
                return 404, {"error_code": 40403, "message": "Schema not found"}
            return 200, self.shown(number + 1)
        if method == "GET" and steps[0] == "subjects" and len(steps) == 4:
            found = self.version(steps[1], steps[3])
            if isinstance(found, tuple):
                return found
            number = self.subjects[steps[1]][found - 1]
            return 200, {"subject": steps[1], "version": found, "id": number} | self.shown(number)
        if method == "POST" and steps[0] == "compatibility" and len(steps) == 5:
            found = self.version(steps[2], steps[4])
            if isinstance(found, tuple):
                return found
            try:
                new = json.loads(body["schema"])
            except ValueError:
                return 422, {"error_code": 42201, "message": "Invalid schema"}
            why = self.broken(json.loads(self.schemas[self.subjects[steps[2]][found - 1] - 1][0]), new)
            return 200, {"is_compatible": not why} | ({"messages": why} if "verbose=true" in query else {})
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def version(self, subject, said):
        """Its number from 1, or the answer that says why not."""
        versions = self.subjects.get(subject)
        if versions is None:
            return 404, {"error_code": 40401, "message": "Subject '%s' not found." % subject}
        number = len(versions) if said == "latest" else int(said)
        if not 1 <= number <= len(versions):
            return 404, {"error_code": 40402, "message": "Version %d not found." % number}
        return number

    def shown(self, number):
        schema, kind, references = self.schemas[number - 1]
        shown = {"schema": schema}
        if kind != "AVRO":  # a registry leaves its first type unsaid
            shown["schemaType"] = kind
        if references:
            shown["references"] = references
        return shown

    def register(self, subject, schema, kind="JSON", references=()):
        """references: (name, subject, version)."""
        if not isinstance(schema, str):
            schema = json.dumps(schema)
        entry = (schema, kind, [dict(zip(("name", "subject", "version"), one)) for one in references])
        if entry not in self.schemas:
            self.schemas.append(entry)
        number = self.schemas.index(entry) + 1
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
