#!/usr/bin/env python3
"""malformed.py COUNT SEED OUT — lines made of the vectors by seeded damage: what files, peers and broken disks hand in.

No line is empty and none holds a newline, so that COUNT lines are COUNT records. Some stay valid events, most do not."""
import base64
import json
import pathlib
import random
import sys

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors"
TOKENS = [b"\x00", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\\ud800", b"\\u12", b"\\x41", b"1e999", b"-0",
          b"0x1", b"01", b"NaN", b"Infinity", b"null", b"true", b"tru", b"[]", b"{}", b"[[", b"}}", b'""', b'"', b"\\", b",,",
          b":", b"\t", b"\r", b"/*x*/", b"\xef\xbb\xbf", b"99999999999999999999999999", b'"specversion":"0.3",',
          b'"specversion":"1.0","specversion":"1.0",', b'"data_base64":"!",', b'"time":"yesterday",', b'"UPPER":1,']


def vector_bytes():
    found = []
    for name in ("cloudevents_valid.jsonl", "cloudevents_invalid.jsonl"):
        for line in (VECTORS / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if "event_base64" in row:
                raw = base64.b64decode(row["event_base64"])
            elif "event_raw" in row:
                raw = row["event_raw"].encode("utf-8", "surrogatepass")
            else:
                raw = json.dumps(row["event"], ensure_ascii=False).encode("utf-8", "surrogatepass")
            if 0 < len(raw) <= 4096:
                found.append(raw.replace(b"\n", b" "))
    return found


def flip(draw, text, _):
    at = int(draw() * len(text))
    return text[:at] + bytes([text[at] ^ 1 << int(draw() * 8)]) + text[at + 1:]


def cut_out(draw, text, _):
    at = int(draw() * len(text))
    return text[:at] + text[at + 1 + int(draw() * 8):]


def cut_off(draw, text, _):
    return text[:int(draw() * len(text))]


def put_in(draw, text, _):
    at = int(draw() * len(text))
    return text[:at] + TOKENS[int(draw() * len(TOKENS))] + text[at:]


def repeat(draw, text, _):
    begin = int(draw() * len(text))
    piece = text[begin:begin + 1 + int(draw() * 40)]
    return text[:begin] + piece * (2 + int(draw() * 6)) + text[begin:]


def splice(draw, text, other):
    return text[:int(draw() * len(text))] + other[int(draw() * len(other)):]


def nest(draw, text, _):
    depth = 1 + int(draw() * 200)
    mark = (b"[", b"]") if draw() < 0.5 else (b'{"a":', b"}")
    return mark[0] * depth + text + mark[1] * depth


def noise(draw, _, __):
    return bytes(int(draw() * 256) for _ in range(1 + int(draw() * 60)))


def lengthen(draw, text, _):
    at = int(draw() * len(text))
    return text[:at] + b"x" * int(draw() * 3000) + text[at:]


def leave(_, text, __):
    return text


DAMAGE = [flip, cut_out, cut_off, put_in, put_in, repeat, splice, nest, noise, lengthen, leave]
HOW_OFTEN = [1, 1, 1, 2, 3]


def lines(count, seed):
    source = random.Random(seed)
    draw, vectors = source.random, vector_bytes()
    for _ in range(count):
        text = vectors[int(draw() * len(vectors))]
        for _ in range(HOW_OFTEN[int(draw() * len(HOW_OFTEN))]):
            other = vectors[int(draw() * len(vectors))]
            text = DAMAGE[int(draw() * len(DAMAGE))](draw, text, other) or b"{"
        text = text.replace(b"\n", b" ").rstrip(b"\r \t") or b"x"
        yield b"x" + text if text.startswith(b"\x1f\x8b") else text  # not the mark of a gzip file


def write(count, seed, path):
    with open(path, "wb", buffering=1 << 20) as out:
        for line in lines(count, seed):
            out.write(line + b"\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    write(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
