#!/usr/bin/python3
"""The exercises of the event publishing guide that need a Redis: 1, 6, 7, 8, 9, 10, with its YAML and its consumers."""

import json
import re
import subprocess

from support import PYTHON, SCENARIOS, SLUICE, Process, Scenario, environment, main, wait_for

PROCESSED = "com.storytelling.nlp.document.processed"


def cloud_event(number, type=PROCESSED, **data):
    return {"specversion": "1.0", "type": type, "source": "stage2-nlp-processing", "id": "evt_%d" % number,
            "time": "2025-12-14T12:00:00Z", "datacontenttype": "application/json", "subject": "document/doc-%d" % number,
            "data": {"document_id": "doc-%d" % number, **data}}


class Exercise1(Scenario):
    def test_an_emitted_document_is_in_the_stream_and_in_the_log(self):
        redis = self.redis()
        host = self.host("usage_exercise_1.yaml", env={"REDIS_EVENTS_URL": redis.url})
        emitted = host.emit("document.processed", "--document-id", "doc-1", "--job-id", "test-job-1",
                            "--processing-time-seconds", "12.5", "--metric", "event_count=5")
        self.assertEqual(emitted.returncode, 0, emitted.stderr + host.text())
        self.assertIn(PROCESSED, redis.cli("XREAD", "COUNT", 5, "STREAMS", "nlp-events", 0))
        event, = redis.events()
        self.assertEqual((event["specversion"], event["type"], event["subject"], event["data"]["job_id"]),
                         ("1.0", PROCESSED, "document/doc-1", "test-job-1"))
        self.assertIn(event["id"], emitted.stdout)
        line = host.wait_for_line("Event published")[0]
        for part in (event["id"], PROCESSED, "doc-1", "redis_streams", "latency_ms"):
            self.assertIn(part, line)
        self.assertEqual(host.end(), 0, host.text())

    def test_events_on_standard_input_end_with_the_input(self):
        redis = self.redis()
        lines = "".join(json.dumps(cloud_event(i)) + "\n" for i in range(3))
        ran = self.run_sluice("run", SCENARIOS / "config" / "usage_exercise_1.yaml", "--stdin", "--set",
                              "sluice.admin.listen=", stdin=lines, REDIS_EVENTS_URL=redis.url)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertEqual([event["id"] for event in redis.events()], ["evt_0", "evt_1", "evt_2"])

    def test_a_disabled_section_publishes_nothing_and_says_so(self):
        ran = self.run_sluice("run", SCENARIOS / "config" / "usage_exercise_1.yaml", EVENTS_ENABLED="false")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn("nothing is published", ran.stdout + ran.stderr)

    def test_the_stream_is_trimmed_and_never_expires(self):
        redis = self.redis()
        ran = self.run_sluice("run", SCENARIOS / "config" / "usage_redis.yaml", "--stdin", "--set", "sluice.admin.listen=",
                              "--set", "events.redis_streams.max_len=100",
                              stdin="".join(json.dumps(cloud_event(i)) + "\n" for i in range(3000)), REDIS_EVENTS_URL=redis.url)
        self.assertEqual(ran.returncode, 0, ran.stderr[-2000:])
        kept = [event["id"] for event in redis.events()]
        self.assertTrue(100 <= len(kept) < 1000, len(kept))  # approximate: whole nodes of the stream go
        self.assertEqual(kept[-1], "evt_2999")
        self.assertEqual(redis.client().ttl("nlp-events"), -1)


class Exercise6(Scenario):
    def test_only_the_chosen_types_are_published(self):
        redis = self.redis()
        host = self.host("usage_exercise_6.yaml", env={"REDIS_EVENTS_URL": redis.url})
        for arguments in (["document.processed", "--document-id", "doc-1"],
                          ["document.failed", "--document-id", "doc-2", "--error", "no text"],
                          ["batch.started", "--job-id", "filter-test-1", "--document-count", "2"],
                          ["batch.completed", "--job-id", "filter-test-1", "--successful", "1", "--failed", "1"]):
            emitted = host.emit(*arguments)
            self.assertEqual(emitted.returncode, 0, emitted.stdout + emitted.stderr)
        types = [event["type"].rsplit("nlp.")[1] for event in redis.events()]
        self.assertEqual(types, ["document.processed", "batch.completed"])
        self.assertEqual(len(host.wait_for_line("Event published", count=2)), 2)


class Exercise7(Scenario):
    def test_the_documents_consumer_reads_and_acknowledges(self):
        redis = self.redis()
        consumer = self.keep(Process([PYTHON, "-u", SCENARIOS / "consumers" / "event_consumer.py"], self.folder, "consumer",
                                     environment(REDIS_PORT=redis.port)))
        consumer.wait_for_line("Listening for events")
        host = self.host("usage_exercise_1.yaml", env={"REDIS_EVENTS_URL": redis.url})
        status, text = host.post(cloud_event(7, metrics={"event_count": 5, "entity_count": 23}))
        self.assertEqual(status, 202, text)
        consumer.wait_for_line("✅ Acknowledged")
        for line in ("Type: " + PROCESSED, "ID: evt_7", "Document: doc-7", "Events: 5", "Entities: 23"):
            self.assertTrue(consumer.lines(line), consumer.text())
        group, = redis.client().xinfo_groups("nlp-events")
        self.assertEqual((group["name"], group["consumers"], group["pending"]), (b"test-consumers", 1, 0))

    def test_the_group_reader_of_the_guide_finds_what_it_needs(self):
        redis = self.redis()
        host = self.host("usage_redis.yaml", env={"REDIS_EVENTS_URL": redis.url})
        reader = self.keep(Process([PYTHON, "-u", SCENARIOS / "consumers" / "stage3_embeddings.py"], self.folder, "reader",
                                   environment(REDIS_EVENTS_URL=redis.url)))
        self.assertEqual(host.emit("document.processed", "--document-id", "doc-123", "--output",
                                   "jsonl=file:///app/data/out.jsonl").returncode, 0)
        reader.wait_for_line("Embedding doc-123 from file:///app/data/out.jsonl")
        wait_for(lambda: redis.client().xinfo_groups("nlp-events")[0]["pending"] == 0, "the event to be acknowledged")


class Exercise8(Scenario):
    def test_a_custom_document_is_published_with_all_its_fields(self):
        redis = self.redis()
        host = self.host("usage_exercise_1.yaml", env={"REDIS_EVENTS_URL": redis.url})
        emitted = host.emit("document.processed", "--document-id", "custom-doc-123", "--job-id", "custom-job-456",
                            "--processing-time-seconds", "5.2", "--output", "jsonl=file:///app/data/custom_output.jsonl",
                            "--metric", "event_count=10", "--metric", "entity_count=25", "--metric", "soa_triplet_count=8",
                            "--metadata", "custom_field=custom_value", "--metadata", "processor=custom_script")
        self.assertEqual(emitted.returncode, 0, emitted.stderr)
        event, = redis.events()
        self.assertEqual(event["data"], {
            "document_id": "custom-doc-123", "job_id": "custom-job-456", "status": "success", "processing_time_seconds": 5.2,
            "output_location": {"jsonl": "file:///app/data/custom_output.jsonl"},
            "metrics": {"event_count": 10, "entity_count": 25, "soa_triplet_count": 8},
            "metadata": {"custom_field": "custom_value", "processor": "custom_script"}})
        stats = host.stats()
        self.assertEqual((stats["events_published"], stats["events_failed"], stats["success_rate"]), (1, 0, 1.0))
        self.assertGreaterEqual(stats["avg_latency_ms"], 0)

    def test_nobody_answers_and_emit_says_so(self):
        ran = subprocess.run([SLUICE, "emit", "document.processed", "--document-id", "d", "--to", "http://127.0.0.1:9/events"],
                             capture_output=True, text=True, env=environment())
        self.assertEqual(ran.returncode, 1)
        self.assertIn("127.0.0.1:9", ran.stderr)


class Exercise9(Scenario):
    def test_another_pipeline_has_a_stream_of_its_own(self):
        redis = self.redis()
        host = self.host("usage_exercise_1.yaml", "events.redis_streams.stream_name=image-processing-events",
                         "events.redis_streams.max_len=5000", "events.redis_streams.ttl_seconds=3600",
                         env={"REDIS_EVENTS_URL": redis.url})
        data = {"image_id": "img-789", "format": "JPEG", "dimensions": {"width": 1920, "height": 1080},
                "processing_time_ms": 250, "operations": ["resize", "compress", "watermark"]}
        emitted = host.emit("--type", "com.example.image.processed", "--subject", "image/img-789", "--data-json",
                            json.dumps(data))
        self.assertEqual(emitted.returncode, 0, emitted.stderr)
        event, = redis.events("image-processing-events")
        self.assertEqual((event["type"], event["subject"], event["data"]), ("com.example.image.processed", "image/img-789", data))
        self.assertEqual(redis.client().exists("nlp-events"), 0)


class Exercise10(Scenario):
    def test_latency_can_be_read_from_the_log_and_from_the_stats(self):
        redis = self.redis()
        host = self.host("usage_exercise_10.yaml", env={"REDIS_EVENTS_URL": redis.url})
        for i in range(1, 21):
            status, text = host.post(cloud_event(i, job_id="perf-test-%d" % i, text="Performance test document"))
            self.assertEqual(status, 202, text)
        lines = host.wait_for_line("Event published", "latency_ms", count=20)
        for line in lines:
            self.assertRegex(line, r"latency_ms\W+[0-9.]+")
        self.assertTrue(all("perf-test" in line for line in lines), "DEBUG shows the payload")
        self.assertNotIn("Performance test document", host.text())
        stats = host.stats()
        self.assertEqual((stats["events_published"], stats["events_failed"], stats["success_rate"]), (20, 0, 1.0))
        self.assertGreater(stats["avg_latency_ms"], 0)
        self.assertLessEqual(stats["p50_latency_ms"], stats["p99_latency_ms"])
        backend = stats["backends"]["redis_streams"]
        self.assertEqual((backend["events_published"], backend["success_rate"]), (20, 1.0))

        status, metrics = host.page("/metrics")
        self.assertEqual(status, 200)
        checked = subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, capture_output=True)
        self.assertEqual(checked.returncode, 0, checked.stderr + checked.stdout)
        self.assertTrue(re.search(r'_bucket\{.*le="', metrics), metrics)
        self.assertEqual(host.page("/health")[0], 200)


if __name__ == "__main__":
    main()
