#!/usr/bin/python3
"""Document text stays in the host: a canary in data.text and data.content reaches no byte that is written anywhere, neither by
Redis, a webhook, a log, a dead letter, a page of the admin server, nor by what could not be delivered."""

import json
import pathlib

from support import Recorder, Scenario, free_port, main, wait_for

CANARY = "canary-7f3a-of-the-document"
ESCAPED = "\\u0063\\u0061nary-7f3a-of-the-document"  # the same text, as JSON may write it


def event(number, **data):
    return {"specversion": "1.0", "type": "com.storytelling.nlp.document.processed", "source": "stage2-nlp-processing",
            "id": "evt_%d" % number, "time": "2025-12-14T12:00:00Z", "datacontenttype": "application/json",
            "data": {"document_id": "doc-%d" % number, **data}}


def with_canary(number):
    return event(number, text=CANARY + " met Mary", content={"pages": [CANARY]}, metrics={"event_count": 1})


class Canary(Scenario):
    def assert_clean(self, name, content):
        data = content if isinstance(content, bytes) else content.encode()
        for canary in (CANARY, ESCAPED):
            self.assertNotIn(canary.encode(), data, "the canary is in " + name)

    def assert_files_clean(self):
        for file in self.folder.rglob("*"):
            if file.is_file() and not file.name.startswith("input"):
                self.assert_clean(str(file), file.read_bytes())

    def test_the_dialect_keeps_text_in_the_host(self):
        redis = self.redis()
        recorder = self.keep(Recorder())
        host = self.host("usage_exercise_3.yaml", "events.webhook.urls.0=" + recorder.url,
                         "events.monitoring={log_events: true, log_level: DEBUG}", env={"REDIS_EVENTS_URL": redis.url})
        self.assertEqual(host.post(with_canary(1))[0], 202)
        escaped = json.dumps(with_canary(2)).replace(CANARY, ESCAPED)
        self.assertIn(ESCAPED, escaped)
        self.assertEqual(host.post(escaped)[0], 202)
        # A name may be escaped too.
        self.assertEqual(host.post(json.dumps(with_canary(3)).replace('"text"', '"te\\u0078t"'))[0], 202)
        batch = json.dumps([with_canary(4), with_canary(5)])
        self.assertEqual(host.post(batch, "application/cloudevents-batch+json")[0], 202)
        wait_for(lambda: len(recorder.requests) >= 5, "five requests at the webhook")
        # Refused, with the reason: the reason may not quote it either.
        refused = host.post(json.dumps(with_canary(6)).replace('"1.0"', '"9.9"'))
        self.assertEqual(refused[0], 400, refused)
        self.assert_clean("the refusal", refused[1])
        broken = host.post('{"specversion": "1.0", "text": "%s" "x"}' % CANARY)
        self.assertEqual(broken[0], 400, broken)
        self.assert_clean("the refusal", broken[1])

        for page in ("/health", "/stats", "/metrics", "/ready"):
            self.assert_clean(page, host.page(page)[1])
        events = redis.events()
        self.assertEqual(sorted(each["id"] for each in events), ["evt_%d" % i for i in range(1, 6)])
        self.assertTrue(all("document_id" in each["data"] and "text" not in each["data"] for each in events), events)
        self.assert_clean("Redis", redis.cli("XRANGE", "nlp-events", "-", "+"))
        redis.client().save()
        for path, headers, body in recorder.requests:
            self.assert_clean("a webhook's body", body)
            self.assert_clean("a webhook's headers", repr(headers))
        self.assertEqual(host.end(), 0, host.text())
        self.assertTrue(host.lines("Event published"))
        self.assert_files_clean()

    def test_dead_letters_and_what_was_not_delivered_have_no_text(self):
        config = self.folder / "graph.yaml"
        config.write_text("""
sluice: 1
drain_deadline: 1s
undelivered: undelivered.jsonl
log: {level: debug, format: json, events: true}
sources:
  input: {class: stdin}
backends:
  refuses:
    class: webhook
    inputs: [input]
    redact: [/text, /content]
    config: {urls: ["%s"]}
    delivery: {dead_letter: parked, retry: {max_attempts: 1}}
  parked:
    class: event_log
    redact: [/text, /content]
    config: {path: parked.jsonl}
  away:
    class: redis_streams
    inputs: [input]
    redact: [/text, /content]
    config: {url: "redis://127.0.0.1:%d/1", stream_name: s}
""" % (self.refusing_url(), free_port()))
        lines = "".join(json.dumps(with_canary(i)) + "\n" for i in range(3))
        ran = self.run_sluice("run", config, stdin=lines)
        self.assertEqual(ran.returncode, 1, ran.stdout + ran.stderr)  # away was away to the end
        parked = [json.loads(line) for line in (self.folder / "parked.jsonl").read_text().splitlines()]
        self.assertEqual([each["id"] for each in parked], ["evt_0", "evt_1", "evt_2"], ran.stderr)
        self.assertTrue(pathlib.Path(self.folder / "undelivered.jsonl").stat().st_size > 0)
        self.assert_clean("what the run printed", ran.stdout + ran.stderr)
        self.assert_files_clean()

    def refusing_url(self):
        """An address that refuses every event for good: the admin page of a host that knows no such path."""
        host = self.host("usage_exercise_2.yaml", name="other", door=True)
        return "http://127.0.0.1:%d/nothing-here" % host.door_port


if __name__ == "__main__":
    main()
