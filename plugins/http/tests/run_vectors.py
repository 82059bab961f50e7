#!/usr/bin/python3
"""Plays http_binding.jsonl or webhook.jsonl (role target) against a running source `http` and compares.

usage: run_vectors.py BASE_URL FILE [--level must,policy] [--only NAME]

BASE_URL is http://host:port; the rows' own paths (/events, /hook) are kept. For http_binding.jsonl the graph behind the
source must deliver (bench's null is enough) and its format must be cloudevents. For webhook.jsonl start the source with
path /hook and the row's config: rows are grouped by config, and --config prints the groups as JSON lines instead.
Exit 0 only if every row that was played came out as it says.
"""
import argparse
import base64
import json
import socket
import sys
import urllib.parse


def value(text):
    if isinstance(text, dict):
        return base64.b64decode(text["base64"])
    return text.encode("utf-8")


def ask(base, method, target, headers, body):
    """One request on a connection of its own, byte by byte as the row has it. Returns (status, headers, body)."""
    url = urllib.parse.urlsplit(base)
    head = b"%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n" % (method.encode(), target.encode(), url.netloc.encode())
    for name, content in headers:
        head += name.encode() + b": " + value(content) + b"\r\n"
    if method != "OPTIONS":
        head += b"Content-Length: %d\r\n" % len(body)
    with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
        connection.sendall(head + b"\r\n" + body)
        answer = b""
        while True:
            part = connection.recv(65536)
            if not part:
                break
            answer += part
    first, _, rest = answer.partition(b"\r\n\r\n")
    lines = first.decode("latin-1").split("\r\n")
    got = {}
    for line in lines[1:]:
        name, _, content = line.partition(":")
        got[name.strip().lower()] = content.strip()
    return int(lines[0].split()[1]), got, rest


def play_binding(base, row):
    request, expect = row["request"], row["expect"]
    body = base64.b64decode(request["body_base64"]) if "body_base64" in request else request.get("body", "").encode("utf-8")
    status, _, text = ask(base, request["method"], request["target"], request["headers"], body)
    accepted = 200 <= status < 300
    problems = []
    if accepted != expect["accept"]:
        problems.append("accepted" if accepted else "refused: " + text.decode("utf-8", "replace"))
    if "status" in expect and status != expect["status"]:
        problems.append("status %d, not %d" % (status, expect["status"]))
    return problems


def play_target(base, row):
    request, expect = row["request"], row["expect"]
    status, headers, _ = ask(base, request["method"], request["target"], list(request["headers"].items()), b"")
    problems = []
    if "status" in expect and status != expect["status"]:
        problems.append("status %d, not %d" % (status, expect["status"]))
    for name in expect.get("absent_headers", []):
        if name.lower() in headers:
            problems.append(name + " is there: " + headers[name.lower()])
    for name, content in expect.get("headers", {}).items():
        got = headers.get(name.lower())
        echoed = content == "*" and got == request["headers"].get("WebHook-Request-Origin")
        if got != content and not echoed:
            problems.append("%s is %r, not %r" % (name, got, content))
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("file")
    parser.add_argument("--level", default="must,policy")
    parser.add_argument("--only")
    parser.add_argument("--config", action="store_true", help="print the rows' configurations, do not play")
    parser.add_argument("--with-config", help="play only the rows of this configuration (JSON as --config printed it)")
    options = parser.parse_args()
    with open(options.file, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    rows = [row for row in rows if row.get("role", "target") == "target" and row["level"] in options.level.split(",")]
    if options.only:
        rows = [row for row in rows if row["name"] == options.only]
    if options.config:
        for text in sorted({json.dumps(row.get("config", {}), sort_keys=True) for row in rows}):
            print(text)
        return 0
    if options.with_config is not None:
        wanted = json.loads(options.with_config)
        rows = [row for row in rows if row.get("config", {}) == wanted]
    failed = 0
    for row in rows:
        problems = (play_target if "role" in row else play_binding)(options.base, row)
        for problem in problems:
            print("%s: %s (%s; %s)" % (row["name"], problem, row["why"], row["spec"]))
        failed += bool(problems)
    print("%d rows, %d failed" % (len(rows), failed))
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
