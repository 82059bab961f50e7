#!/usr/bin/python3
"""A receiver of webhooks that remembers: receiver.py PORT FOLDER LIMIT TOKEN. A request to /PLACE is appended to
FOLDER/PLACE.received, a JSON line with its headers and body, before it is answered; what was answered survives a kill.

404 where FOLDER/PLACE.open is missing, 429 while FOLDER/PLACE.full exists, 401 without the token, 413 over the limit.

One loop serves all connections in turn. A thread for each of them fights for the interpreter and for the file until some have
waited longer than the sender's timeout: those were then written down, sent again, and looked as if the host sent twice."""

import base64
import json
import pathlib
import sys

import uvicorn

PORT, FOLDER, LIMIT, TOKEN = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
received = {}  # place -> its open file


async def body_of(receive):
    """None when the sender went before all of it had come: nothing was received then."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def judge(place, headers, body):
    if headers.get("authorization") != "Bearer " + TOKEN:
        return 401, "who are you"
    if not (FOLDER / (place + ".open")).exists():
        return 404, "there is no " + place
    if (FOLDER / (place + ".full")).exists():
        return 429, "no room"  # a 5xx would use up attempts
    if len(body) > LIMIT:
        return 413, "more than %d bytes" % LIMIT
    if place not in received:
        received[place] = open(FOLDER / (place + ".received"), "ab", buffering=0)  # a line is one write
    received[place].write(json.dumps({"headers": headers, "body": base64.b64encode(body).decode()}).encode() + b"\n")
    return 200, ""


async def receiver(scope, receive, send):
    if scope["type"] != "http":
        return
    body = await body_of(receive)
    if body is None:
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    status, text = judge(scope["path"].strip("/"), headers, body)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text.encode()})


uvicorn.run(receiver, host="127.0.0.1", port=PORT, backlog=128, log_level="error", access_log=False, lifespan="off",
            timeout_keep_alive=75)
