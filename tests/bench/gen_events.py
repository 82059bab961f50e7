#!/usr/bin/env python3
"""gen_events.py COUNT OUT [SEED] — CloudEvents as JSON lines, the same bytes for the same seed on every machine.

A document-processing service's day: 90 % document.processed, 5 % document.failed, 3 % batch.started, 2 % batch.completed
by a seeded draw, about 585 bytes a line, with escapes and non-ASCII text in the rarer types."""
import random
import sys
from datetime import datetime, timedelta, timezone

DEFAULT_SEED = 20261101
LINES_PER_WRITE = 4096
EVENTS_PER_JOB = 500
LANGUAGES = ["en", "de", "fr", "es", "it", "nl"]
MODELS = ["nlp-large-v3", "nlp-base-v2", "nlp-fast-v1"]
ERRORS = [("TIMEOUT", "model did not answer within the deadline"),
          ("OOM", "worker ran out of memory while loading the document"),
          ("INVALID_INPUT", "input is not valid UTF-8: byte 0x9c at offset 1093"),
          ("MODEL_UNAVAILABLE", 'no replica of the model was ready (\\"nlp-large\\")'),
          ("STORAGE_WRITE_FAILED", "could not write the result object to the bucket")]
START = datetime(2026, 11, 1, tzinfo=timezone.utc)


def processed(draw, bits, doc, job, day):
    events, entities = bits >> 4 & 255, bits >> 12 & 511
    return (f'{{"document_id":"{doc}","job_id":"{job}","status":"completed",'
            f'"processing_time_seconds":{0.2 + draw() * 9:.3f},'
            f'"output_location":{{"type":"s3","bucket":"nlp-results","key":"{day}/{doc}.json"}},'
            f'"metrics":{{"event_count":{events},"entity_count":{entities},"soa_triplet_count":{events * 2 + 3}}},'
            f'"metadata":{{"language":"{LANGUAGES[bits % 6]}","model":"{MODELS[bits % 3]}","retry":{bits & 1}}}}}')


def failed(draw, bits, doc, job):
    code, message = ERRORS[bits % 5]
    return (f'{{"document_id":"{doc}","job_id":"{job}","status":"failed","processing_time_seconds":{draw() * 30:.3f},'
            f'"error":{{"code":"{code}","message":"{message}",'
            f'"retryable":{"true" if bits & 2 else "false"},"attempt":{bits & 3}}},'
            f'"metadata":{{"language":"{LANGUAGES[bits % 6]}","model":"{MODELS[bits % 3]}",'
            f'"worker":"gpu-{bits & 15:02d}"}}}}')


def started(bits, batch, job, day):
    return (f'{{"batch_id":"{batch}","job_id":"{job}","status":"started","document_count":500,'
            f'"priority":"{"high" if bits & 4 else "normal"}",'
            f'"input_location":{{"type":"s3","bucket":"nlp-inputs","prefix":"{day}/{batch}/"}},'
            f'"metadata":{{"requested_by":"user-{bits % 1000}","model":"{MODELS[bits % 3]}",'
            f'"note":"Stapel n\u00e4chtlich \u2013 Lauf {bits & 15}"}}}}')


def completed(draw, bits, batch, job):
    lost = bits % 20
    return (f'{{"batch_id":"{batch}","job_id":"{job}","status":"completed",'
            f'"processing_time_seconds":{100 + draw() * 900:.3f},'
            f'"document_count":500,"succeeded":{500 - lost},"failed":{lost},'
            f'"metrics":{{"event_count":{bits >> 8 & 65535},"entity_count":{bits >> 20 & 65535},'
            f'"soa_triplet_count":{bits >> 32 & 65535}}},'
            f'"metadata":{{"requested_by":"user-{bits % 1000}","model":"{MODELS[bits % 3]}"}}}}')


def uuid(random_bits):
    text = "%032x" % random_bits(128)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def timestamp(milliseconds):
    seconds, rest = divmod(milliseconds, 1000)
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:03d}Z"


def lines(count, seed=DEFAULT_SEED):
    """The order of the draws is part of the format: whoever changes it changes every number in the README."""
    source = random.Random(seed)
    draw, random_bits = source.random, source.getrandbits
    milliseconds, job, batches = 0, "job_%08x" % random_bits(32), 0
    for i in range(count):
        milliseconds += int(draw() * 4)
        if i % EVENTS_PER_JOB == 0:
            job, batches = "job_%08x" % random_bits(32), batches + 1
        bits, which = random_bits(64), draw()
        day = f"2026/11/{1 + (i // 100000) % 28:02d}"
        doc, batch = f"doc_{bits >> 16 & 0xffffffffffff:012x}", f"batch_{batches:06d}"
        if which < .90:
            kind, subject, data = "document.processed", doc, processed(draw, bits, doc, job, day)
        elif which < .95:
            kind, subject, data = "document.failed", doc, failed(draw, bits, doc, job)
        elif which < .98:
            kind, subject, data = "batch.started", batch, started(bits, batch, job, day)
        else:
            kind, subject, data = "batch.completed", batch, completed(draw, bits, batch, job)
        yield (f'{{"specversion":"1.0","id":"{uuid(random_bits)}","source":"/nlp/worker-{bits & 15:02d}",'
               f'"type":"com.storytelling.nlp.{kind}","subject":"{subject}","time":"{timestamp(milliseconds)}",'
               f'"datacontenttype":"application/json","data":{data}}}\n')


def write(count, path, seed=DEFAULT_SEED):
    with open(path, "w", encoding="utf-8", newline="\n", buffering=1 << 20) as out:
        held = []
        for line in lines(count, seed):
            held.append(line)
            if len(held) == LINES_PER_WRITE:
                out.writelines(held)
                held.clear()
        out.writelines(held)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    write(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else DEFAULT_SEED)
