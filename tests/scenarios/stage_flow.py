"""stage1-stage2-integration.md from end to end: stage 1 publishes with redis-py as its own publisher does, the host consumes,
hands over to a webhook, retries, parks what fails, and the document's commands show what it says they show."""

import json
import os
import signal
import threading
import unittest
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import support
from servers.redis import Server
from support import wait_for

STREAM, GROUP, FAILED = "stage1:cleaning:events", "stage2-nlp-processor", "stage2:nlp:failed-events"
DOCUMENT, COMPLETED = "com.storytelling.cleaning.document.cleaned", "com.storytelling.cleaning.job.completed"


def event(kind, identity=None, **data):
    identity = identity or str(uuid.uuid4())
    return {"specversion": "1.0", "type": kind, "source": "stage1-cleaning-service", "id": identity,
            "time": "2026-01-05T12:00:00Z", "datacontenttype": "application/json", "data": data}


class Handler:
    """Stage 2's API: takes events, keeps them in order of arrival, and answers what `status(event)` says."""

    def __init__(self):
        self.events, self.status, self.gate = [], lambda _: 200, threading.Event()
        self.gate.set()
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()
        outer = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                received = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.lock:
                    outer.events.append(received)
                    outer.under_way += 1
                    outer.most_under_way = max(outer.most_under_way, outer.under_way)
                outer.gate.wait(support.PATIENCE_S)
                with outer.lock:
                    outer.under_way -= 1
                try:
                    self.send_response(outer.status(received))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the host was killed meanwhile

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self.url = "http://127.0.0.1:%d/process" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ids(self):
        with self.lock:
            return [received["id"] for received in self.events]

    def end(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class StageFlow(support.Scenario):
    def setUp(self):
        super().setUp()
        self.redis = self.keep(Server(self.folder).start())
        self.stage1 = self.redis.client()
        self.handler = self.keep(Handler())

    def settings(self, more="", handler=True, name="worker-1", events=""):
        path = self.folder / ("settings-%s.yaml" % name)
        # Where the test's servers are; everything else is the document's.
        text = "%sevent_consumer:\n  enabled: true\n  redis_host: 127.0.0.1\n  redis_port: %d\n  consumer_name: %s\n" % (
            events, self.redis.port, name)
        if handler:
            text += "  handler: {class: webhook, config: {url: \"%s\"}}\n" % self.handler.url
        path.write_text(text + "".join("  %s\n" % line for line in more.splitlines()))
        return path

    def consumer(self, more="", name="worker-1", door=False, host_name=None, **settings):
        host = self.host(self.settings(more, name=name, **settings), door=door, name=host_name or name)
        host.wait_for_line("event_consumer_service_running")
        return host

    def publish(self, *events):
        for each in events:
            self.stage1.xadd(STREAM, {"event": json.dumps(each)})

    def pending(self):
        return int(self.redis.cli("XPENDING", STREAM, GROUP).split()[0])

    def wait_until_acknowledged(self):
        wait_for(lambda: self.pending() == 0 and self.group()["lag"] in (0, None), lambda: "the group to be done: %s" % self.group())

    def group(self):
        return self.stage1.xinfo_groups(STREAM)[0]

    def health(self, host):
        return json.loads(host.page("/health")[1])

    def test_documents_are_handed_over_and_a_job_is_handed_over_once_as_a_batch(self):
        host = self.consumer()
        host.wait_for_line("event_consumer_initialized: stream=%s, group=%s" % (STREAM, GROUP))
        single = [event(DOCUMENT, document_id="d%d" % i) for i in range(3)]
        of_job = [event(DOCUMENT, document_id="j%d" % i, job_id="job-1") for i in range(3)]
        job = event(COMPLETED, job_id="job-1", batch_id="batch-1")
        other = event("com.storytelling.cleaning.job.started", job_id="job-1")
        self.publish(*single, *of_job[:2], other, job, of_job[2], event(COMPLETED, job_id="job-1"))
        self.wait_until_acknowledged()
        self.assertEqual(sorted(self.handler.ids()), sorted(each["id"] for each in single + [job]))
        host.wait_for_line("event_consumed: type=%s, id=%s" % (COMPLETED, job["id"]))
        host.wait_for_line("nlp_batch_processing_triggered: job_id=job-1, batch_id=batch-1")
        self.assertEqual(len(host.lines("nlp_batch_processing_triggered")), 1)
        host.wait_for_line("consuming_events", "total_consumed=0")
        stats = wait_for(lambda: host.stats()["processed"] == 8 and host.stats(), lambda: "8 processed: %s" % host.stats())
        self.assertEqual([stats[key] for key in ("total_consumed", "filtered", "failed", "duplicates_skipped")], [9, 1, 0, 1])
        self.assertEqual(stats["by_event_type"][DOCUMENT], 6)
        self.assertEqual(stats["by_event_type"][COMPLETED], 2)
        self.assertIn('sluice_consumer_processed_total{node="event_consumer"} 8', host.page("/metrics")[1])
        health = wait_for(lambda: self.health(host)["pending_count"] == 0 and self.health(host), "no event pending")
        self.assertEqual([health[key] for key in ("enabled", "healthy", "stream_exists", "group_exists", "running")], [True] * 5)
        self.assertEqual(self.redis.cli("XLEN", FAILED).strip(), "0")

    def test_what_fails_is_tried_again_and_then_parked_with_its_reason(self):
        self.handler.status = lambda received: 500 if received["data"]["document_id"] == "bad" else 200
        host = self.consumer("max_retries: 2\nretry_delay_seconds: 0.05")
        bad = event(DOCUMENT, document_id="bad")
        self.publish(event(DOCUMENT, document_id="good"), bad, event(DOCUMENT, document_id="good too"))
        wait_for(lambda: self.stage1.xlen(FAILED) == 1, "the dead letter")
        self.wait_until_acknowledged()
        self.assertEqual(self.handler.ids().count(bad["id"]), 3)
        parked = json.loads(self.stage1.xrange(FAILED)[0][1][b"event"])
        self.assertEqual(parked["data"], bad["data"])
        wait_for(lambda: host.stats()["failed"] == 1, lambda: "one failed: %s" % host.stats())
        self.assertEqual(host.stats()["processed"], 2)

    def test_a_handler_that_refuses_without_retries_is_asked_once(self):
        self.handler.status = lambda _: 500
        self.consumer("retry_failed: false")
        self.publish(event(DOCUMENT, document_id="d"))
        wait_for(lambda: self.stage1.xlen(FAILED) == 1, "the dead letter")
        self.assertEqual(len(self.handler.ids()), 1)

    def test_no_more_than_concurrent_tasks_are_under_way(self):
        self.handler.gate.clear()
        self.consumer("concurrent_tasks: 3\nbatch_size: 20")
        self.publish(*[event(DOCUMENT, document_id="d%d" % i) for i in range(12)])
        wait_for(lambda: self.handler.under_way == 3, lambda: "three under way, not %d" % self.handler.under_way)
        self.handler.gate.set()
        self.wait_until_acknowledged()
        self.assertEqual(self.handler.most_under_way, 3)
        self.assertEqual(len(set(self.handler.ids())), 12)

    def test_a_kill_in_the_middle_loses_nothing_and_a_job_stays_handed_over(self):
        host = self.consumer()
        job = event(COMPLETED, job_id="job-1")
        self.publish(job)
        self.wait_until_acknowledged()
        self.handler.gate.clear()
        sent = [event(DOCUMENT, document_id="d%d" % i) for i in range(40)]
        self.publish(*sent)
        wait_for(lambda: self.handler.under_way > 0, "documents under way")
        host.process.kill()
        host.process.wait()
        self.handler.gate.set()
        self.publish(event(COMPLETED, job_id="job-1"), event(DOCUMENT, document_id="late", job_id="job-1"))
        self.consumer(host_name="again")
        self.wait_until_acknowledged()
        received = self.handler.ids()
        self.assertEqual({each["id"] for each in sent} - set(received), set())
        self.assertEqual([identity for identity in received if identity not in {each["id"] for each in sent}], [job["id"]])
        self.assertEqual(self.redis.cli("XLEN", FAILED).strip(), "0")

    def test_a_duplicate_is_recognised_by_every_worker_and_after_a_restart(self):
        first = self.consumer(name="worker-1")
        same = event(DOCUMENT, "same", document_id="d")
        self.publish(same)
        self.wait_until_acknowledged()
        self.publish(same)
        wait_for(lambda: first.stats()["duplicates_skipped"] == 1, lambda: "the copy to be skipped: %s" % first.stats())
        self.assertEqual(first.end(), 0)
        second = self.consumer(name="worker-2")
        self.publish(same)
        wait_for(lambda: second.stats()["duplicates_skipped"] == 1, lambda: "the copy to be skipped: %s" % second.stats())
        self.wait_until_acknowledged()
        self.assertEqual(self.handler.ids(), ["same"])

    def test_a_job_that_is_completed_twice_at_two_workers_is_handed_over_once(self):
        # Each worker hands over one at a time, and holds it while the handler thinks; who gets which is the group's choice.
        for name in ("worker-1", "worker-2"):
            self.consumer("batch_size: 1\nconcurrent_tasks: 1", name=name)
        self.handler.gate.clear()

        def each_holds_one():
            if self.handler.under_way < 2:
                self.publish(event(DOCUMENT, document_id="held"))
            return self.handler.under_way == 2

        wait_for(each_holds_one, "each worker to hold a document")
        jobs = ["job-%d" % i for i in range(10)]
        completing = [event(COMPLETED, job_id=job) for job in jobs for _ in range(4)]
        self.publish(*[event(DOCUMENT, document_id=job, job_id=job) for job in jobs], *completing)
        self.handler.gate.set()
        self.wait_until_acknowledged()
        handed_over = [each["data"]["job_id"] for each in self.handler.events if each["type"] == COMPLETED]
        self.assertEqual(sorted(handed_over), jobs)

    def test_a_job_under_way_at_a_killed_worker_is_handed_over_by_another(self):
        first = self.consumer("batch_size: 1", name="worker-1")
        self.handler.gate.clear()
        job, again = event(COMPLETED, job_id="job-1"), event(COMPLETED, job_id="job-1")
        self.publish(job)
        wait_for(lambda: self.handler.under_way == 1, "the hand-over under way")
        os.kill(first.process.pid, signal.SIGSTOP)  # and nothing that it waits for is given to it any more
        wait_for(lambda: self.stage1.info("clients")["blocked_clients"] == 0, "the stopped worker's last request to end")
        second = self.consumer("batch_size: 1", name="worker-2")
        self.publish(again)
        wait_for(lambda: second.stats()["duplicates_skipped"] == 1, lambda: "the copy to be left out: %s" % second.stats())
        first.process.kill()
        first.process.wait()
        self.handler.gate.set()
        self.consumer(name="worker-1", host_name="again")  # what its name had pending comes first
        self.wait_until_acknowledged()
        self.assertEqual(set(self.handler.ids()), {job["id"]})

    def test_two_hosts_share_the_group(self):
        hosts = [self.consumer(name="worker-%d" % i) for i in (1, 2)]
        sent = [event(DOCUMENT, document_id="d%d" % i) for i in range(300)]
        self.publish(*sent)
        self.wait_until_acknowledged()
        self.assertEqual(sorted(self.handler.ids()), sorted(each["id"] for each in sent))
        shares = [wait_for(lambda: host.stats()["total_consumed"], "each to have its share") for host in hosts]
        self.assertEqual(sum(shares), 300)
        self.assertEqual({each["name"] for each in self.stage1.xinfo_consumers(STREAM, GROUP)}, {b"worker-1", b"worker-2"})

    def test_a_dry_run_logs_each_event_once_and_leaves_it_in_the_group(self):
        host = self.consumer("auto_process: false")
        sent = [event(DOCUMENT, document_id="d%d" % i, job_id="j") for i in range(5)] + [event(COMPLETED, job_id="j")]
        self.publish(*sent)
        for each in sent:
            host.wait_for_line("event_consumed_not_processed: type=%s, id=%s (auto_process=false)" % (each["type"], each["id"]))
        wait_for(lambda: self.health(host)["pending_count"] == 6, lambda: "six pending: %s" % self.health(host))
        self.assertEqual(self.pending(), 6)
        self.assertEqual(self.handler.ids(), [])
        self.assertEqual(len(host.lines("event_consumed_not_processed")), 6)
        self.assertEqual(host.stats()["processed"], 0)
        self.assertEqual(host.end(), 0)
        self.assertEqual(self.pending(), 6)
        # Enabled for real, it begins with what it left.
        self.consumer(host_name="for-real")
        self.wait_until_acknowledged()
        self.assertEqual(self.handler.ids(), [sent[-1]["id"]])

    def test_without_a_handler_check_says_so_and_nothing_is_acknowledged(self):
        host = self.consumer(handler=False)
        self.assertTrue(host.lines("there is no handler to process events"))
        self.publish(event(DOCUMENT, document_id="d"))
        host.wait_for_line("event_consumed_not_processed")
        self.assertEqual(self.pending(), 1)

    def test_the_backlog_is_processed_at_the_start_when_asked_for(self):
        self.publish(*[event(DOCUMENT, document_id="d%d" % i) for i in range(25)])
        host = self.consumer("process_backlog: true\nbacklog_batch_size: 10")
        self.wait_until_acknowledged()
        self.assertEqual(len(set(self.handler.ids())), 25)
        host.wait_for_line("backlog_processing_started: count=25")
        host.wait_for_line("backlog_batch_processed: batch=1, events=10")
        host.wait_for_line("backlog_processing_completed: total=25")

    def test_both_dialects_in_one_file_consume_hand_over_and_publish(self):
        events = "events:\n  enabled: true\n  redis_streams: {url: \"%s\", stream_name: \"stage2:nlp:events\"}\n" % self.redis.url
        host = self.consumer(events=events, door=True)
        self.publish(event(DOCUMENT, "from-stage-1", document_id="d"))
        self.wait_until_acknowledged()
        self.assertEqual(self.handler.ids(), ["from-stage-1"])
        processed = event("com.storytelling.nlp.document.processed", "from-stage-2", document_id="d")
        self.assertIn(host.post(processed)[0], (200, 202, 204))
        published = [json.loads(fields[b"event"])["id"] for _, fields in self.stage1.xrange("stage2:nlp:events")]
        self.assertEqual(published, ["from-stage-2"])
        self.assertEqual(self.handler.ids(), ["from-stage-1"])

    def test_a_redis_that_is_not_there_is_said_and_waited_for(self):
        self.redis.stop()
        host = self.host(self.settings(), door=False)
        host.wait_for_line("failed_to_initialize_consumer: stream=%s" % STREAM)
        self.assertEqual(self.health(host)["healthy"], False)
        self.redis.start()
        host.wait_for_line("event_consumer_service_running")
        self.publish(event(DOCUMENT, document_id="d"))
        self.wait_until_acknowledged()
        self.assertEqual(len(self.handler.ids()), 1)


if __name__ == "__main__":
    support.main()
