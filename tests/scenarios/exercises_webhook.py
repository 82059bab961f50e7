#!/usr/bin/python3
"""The exercises of the event publishing guide that send to webhooks: 2, 3, 4, 5, with its YAML and its receivers."""

import json

from support import PYTHON, SCENARIOS, Process, Recorder, Scenario, environment, free_port, listens, main, wait_for

PROCESSED = "com.storytelling.nlp.document.processed"


class Exercise2(Scenario):
    def test_the_flask_receiver_prints_the_event(self):
        receiver = self.flask("test_webhook.py")
        host = self.host("usage_exercise_2.yaml", "events.webhook.urls.0=" + receiver.url)
        emitted = host.emit("document.processed", "--document-id", "doc-2", "--job-id", "webhook-test-1", "--id", "evt_2")
        self.assertEqual(emitted.returncode, 0, emitted.stderr + host.text())
        receiver.wait_for_line("Event ID: evt_2")
        self.assertTrue(receiver.lines("Received Event: " + PROCESSED), receiver.text())
        self.assertTrue(receiver.lines("Document ID: doc-2"), receiver.text())
        host.wait_for_line("Event published", "evt_2", "webhook")
        self.assertEqual(host.end(), 0, host.text())

    def test_the_fastapi_endpoint_of_the_guide_takes_both_types(self):
        port = free_port()
        receiver = self.keep(Process([PYTHON, "-u", "-m", "uvicorn", "--app-dir", SCENARIOS / "consumers", "--host", "127.0.0.1",
                                      "--port", port, "webhook_fastapi:app"], self.folder, "fastapi",
                                     environment(PYTHONUNBUFFERED=1)))
        wait_for(lambda: listens(port), lambda: "uvicorn to start, which printed:\n" + receiver.text())
        url = "http://127.0.0.1:%d/webhook/nlp-events" % port
        host = self.host("usage_webhook.yaml", "events.webhook.urls=[%s]" % json.dumps(url), env={"WEBHOOK_API_KEY": "key"})
        self.assertEqual(host.emit("document.processed", "--document-id", "doc-123", "--metric", "event_count=5").returncode, 0)
        self.assertEqual(host.emit("batch.completed", "--job-id", "job-456", "--successful", "98", "--failed", "2").returncode, 0)
        receiver.wait_for_line("Document doc-123 processed: 5 events")
        receiver.wait_for_line("Embedding of doc-123 begins")
        receiver.wait_for_line("Batch job-456 completed: 98/100 successful")

    def test_the_documents_headers_are_sent(self):
        recorder = self.keep(Recorder())
        host = self.host("usage_webhook.yaml", "events.webhook.urls=[%s]" % json.dumps(recorder.url),
                         env={"WEBHOOK_API_KEY": "prod-secret-key-xyz"})
        self.assertEqual(host.emit("document.processed", "--document-id", "doc-1").returncode, 0)
        (path, headers, body), = recorder.requests
        self.assertEqual(path, "/webhook/nlp-events")
        self.assertEqual(headers["X-API-Key"], "prod-secret-key-xyz")
        self.assertTrue(headers["Content-Type"].startswith("application/cloudevents+json"), headers)
        self.assertEqual(json.loads(body)["data"]["document_id"], "doc-1")
        self.assertNotIn("prod-secret-key-xyz", host.text())


class Exercises3And4(Scenario):
    def test_both_backends_get_it_and_one_alone_when_the_other_is_gone(self):
        redis = self.redis()
        receiver = self.flask("test_webhook.py")
        host = self.host("usage_exercise_3.yaml", "events.webhook.urls.0=" + receiver.url, env={"REDIS_EVENTS_URL": redis.url})

        self.assertEqual(host.emit("document.processed", "--document-id", "doc-3", "--id", "evt_3").returncode, 0)
        receiver.wait_for_line("Event ID: evt_3")
        wait_for(lambda: [event["id"] for event in redis.events()] == ["evt_3"], "the event in Redis")
        host.wait_for_line("Multi-backend publish complete: 2/2 succeeded")

        # Exercise 4: the receiver is stopped, publishing still succeeds.
        receiver.end()
        emitted = host.emit("document.processed", "--document-id", "doc-4", "--job-id", "resilience-test", "--id", "evt_4")
        self.assertEqual(emitted.returncode, 0, emitted.stdout + emitted.stderr)
        self.assertEqual([event["id"] for event in redis.events()], ["evt_3", "evt_4"])
        host.wait_for_line("Failed to publish to webhook")
        host.wait_for_line("Multi-backend publish complete: 1/2 succeeded, 1 waiting")  # while it still may come back
        stats = host.stats()["backends"]
        self.assertEqual(stats["redis_streams"]["events_published"], 2)
        self.assertEqual(sum(stats[name]["events_published"] for name in stats if name.startswith("webhook")), 1)

        # It does not: then what the exercise says is the last word.
        ended = host.wait_for_line("Multi-backend publish complete: 1/2 succeeded", count=2)[-1]
        self.assertNotIn("waiting", ended)

    def test_no_backend_at_all_is_answered_honestly(self):
        host = self.host("usage_exercise_3.yaml", "events.webhook.urls.0=http://127.0.0.1:%d/none" % free_port(),
                         "events.webhook.timeout_seconds=1", "sluice.drain_deadline=1s",
                         env={"REDIS_EVENTS_URL": "redis://127.0.0.1:%d/1" % free_port()})
        emitted = host.emit("document.processed", "--document-id", "doc-5", "--timeout", "25")
        self.assertEqual(emitted.returncode, 1)
        self.assertRegex(emitted.stdout + emitted.stderr, "50[34]")


class Exercise5(Scenario):
    def test_every_url_gets_each_event(self):
        first, second = self.flask("webhook_receiver_1.py"), self.flask("webhook_receiver_2.py")
        host = self.host("usage_exercise_5.yaml", "events.webhook.urls.0=" + first.url, "events.webhook.urls.1=" + second.url)
        self.assertEqual(host.emit("document.processed", "--document-id", "doc-5", "--id", "evt_5").returncode, 0)
        first.wait_for_line("[RECEIVER 1] Got event: %s - evt_5" % PROCESSED)
        second.wait_for_line("[RECEIVER 2] Got event: %s - evt_5" % PROCESSED)

    def test_a_url_that_is_gone_does_not_hold_up_the_other(self):
        first = self.flask("webhook_receiver_1.py")
        host = self.host("usage_exercise_5.yaml", "events.webhook.urls.0=" + first.url,
                         "events.webhook.urls.1=http://127.0.0.1:%d/webhook/nlp-events" % free_port(),
                         "sluice.drain_deadline=1s")
        for i in range(20):
            emitted = host.emit("document.processed", "--document-id", "doc-%d" % i, "--id", "evt_%d" % i)
            self.assertEqual(emitted.returncode, 0, emitted.stdout + emitted.stderr)
        first.wait_for_line("[RECEIVER 1] Got event", count=20)
        first.wait_for_line("evt_19")


if __name__ == "__main__":
    main()
