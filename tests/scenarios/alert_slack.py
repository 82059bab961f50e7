"""Alerts to Slack over HTTP: the document's examples, grouping, repeats, ends, refusals, limits, an outage, kill -9, storms."""

import json
import pathlib
import signal
import subprocess
import tempfile
import unittest

import yaml

from support import BUILD, ROOT, SLUICE, Host, environment, wait_for

from servers.slack import Server

LOW = {"name": "low", "when": {"types": ["validation.warning"]}, "if": ["/success_rate < 0.6"], "severity": "error",
       "labels": {"run": "{{data.run_id}}"}, "group_by": ["run"],
       "title": "⚠️ Low success rate: {{#percent}}{{data.success_rate}}{{/percent}}",
       "resolve": {"when": {"types": ["extraction.completed"]}}}


def event(number, kind="validation.warning", **data):
    return {"specversion": "1.0", "id": "e-%d" % number, "source": "/extraction", "type": kind,
            "data": {"run_id": "r1", "success_rate": 0.4} | data}


class Slack(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="sluice-alert-slack-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.slack = Server().start()
        self.addCleanup(lambda: self.slack.stop())

    def config(self, rules=(LOW,), klass="slack", **more):
        config = {"webhook_url": self.slack.webhook_url, "rules": list(rules), "group_wait": "0s", "group_interval": "0s",
                  "timeout": "2s", "messages_per_minute": 6000, "burst": 1000} | more
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump({
            "sluice": 1, "plugins": {"path": [str(BUILD / "plugins")]},
            "sources": {"door": {"class": "http", "config": {"listen": "127.0.0.1:0"}}},
            "consumers": {"slack": {"class": klass, "inputs": ["door"],
                                    "config": {key: value for key, value in config.items() if value is not None}}},
            "backends": {"log": {"class": "event_log", "inputs": ["door"], "config": {"path": str(self.folder / "log.jsonl")}}}},
            allow_unicode=True))
        return path

    def host(self, name="sluice", **more):
        host = Host(self.folder, self.config(**more), dialect="native", name=name)
        self.addCleanup(host.end)
        return host

    def send(self, host, *events):
        kind = "application/cloudevents-batch+json"
        self.assertEqual(host.post(events[0] if len(events) == 1 else list(events),
                                   "application/cloudevents+json" if len(events) == 1 else kind)[0], 202)

    def told(self, count):
        return wait_for(lambda: len(self.slack.messages) >= count and list(self.slack.messages),
                        lambda: "%d messages; there are %s" % (count, self.slack.messages))

    def metric(self, host, name):
        lines = [line for line in host.page("/metrics")[1].splitlines() if line.startswith("sluice_" + name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def test_an_alert_is_told_repeated_and_ended(self):
        host = self.host(repeat_interval="1s")
        self.send(host, event(1), event(2, success_rate=0.9), event(3, run_id="r2"))
        texts = {message["text"] for message in self.told(2)[:2]}
        self.assertEqual(texts, {"⚠️ Low success rate: 40%"})
        wait_for(lambda: [m for m in self.slack.messages if m["text"].startswith("[REPEAT]")], "a repeat")
        self.send(host, event(4, "extraction.completed"), event(5, "extraction.completed", run_id="r2"))
        wait_for(lambda: len([m for m in self.slack.messages if m["text"].startswith("[RESOLVED]")]) == 2, "the two ends")
        wait_for(lambda: self.metric(host, "alerts_firing") == 0, "nothing to fire")
        wait_for(lambda: self.metric(host, "alert_messages_sent_total") == len(self.slack.messages), "the messages to be counted")

    def test_a_bot_changes_its_message_when_the_alert_ends(self):
        token = self.folder / "token"
        token.write_text(self.slack.token + "\n")
        host = self.host(webhook_url=None, bot_token_file=str(token), channel="#alerts", api_url=self.slack.api_url)
        self.send(host, event(1))
        self.assertEqual(self.told(1)[0]["channel"], "C0123456")
        token.write_text("a new one")  # read for each message: the new one is refused
        self.send(host, event(2, run_id="r2"))
        host.wait_for_line("refuses the login", "invalid_auth")
        token.write_text(self.slack.token)
        self.send(host, event(3, "extraction.completed"))
        wait_for(lambda: self.slack.messages[0].get("edited"), "the message to be changed")
        self.assertTrue(self.slack.messages[0]["text"].startswith("[RESOLVED]"))
        self.assertEqual(len(self.told(2)), 2)  # what came in between was not given up

    def test_what_slack_refuses_is_reported_once_and_not_tried_again(self):
        host = self.host()
        for number, error in enumerate(("invalid_payload", "channel_not_found", "no_service"), 1):
            self.slack.answer = error
            self.send(host, event(number, run_id="r%d" % number))
            host.wait_for_line("given up", error)
        self.assertEqual(self.metric(host, "alert_messages_refused_total"), 3)
        ran = subprocess.run([SLUICE, "alert", "refused", "slack", "--config", self.folder / "config.yaml"], text=True,
                             capture_output=True, cwd=self.folder, env=environment(), check=True)
        kept = [json.loads(line) for line in ran.stdout.splitlines()]
        self.assertEqual([one["message"]["alerts"][0]["labels"]["run"] for one in kept], ["r1", "r2", "r3"])
        self.assertIn("invalid_payload", kept[0]["answer"])
        self.slack.answer = None
        self.send(host, event(9, run_id="r9"))
        self.told(1)
        self.assertEqual(len(self.slack.requests), 4)
        self.assertNotIn("only-for-tests", host.text())

    def standing(self, host):
        node, = [node for node in json.loads(host.page("/health")[1])["nodes"] if node["name"] == "slack"]
        return node["state"], node.get("last_error", {}).get("text", "")

    def test_a_login_that_is_refused_holds_messages_back_until_there_is_another_secret(self):
        ways = (("slack", {"webhook_url": None, "webhook_url_file": ""}, "invalid_token", "HTTP 403: invalid_token"),
                ("slack", {"webhook_url": None, "channel": "#a", "bot_token_file": "", "api_url": ""}, "token_revoked",
                 "Slack says token_revoked"),
                ("alert_webhook", {"webhook_url": None, "url_file": ""}, "401", "HTTP 401"))
        for number, (klass, keys, answer, said) in enumerate(ways):
            with self.subTest(klass=klass, answer=answer):
                self.slack.messages.clear()
                self.slack.requests.clear()
                secret, value = self.folder / "secret", self.slack.token if "channel" in keys else self.slack.webhook_url
                secret.write_text(value + "#old")
                keys = {key: str(secret) if key.endswith("_file") else value for key, value in keys.items()}
                if "api_url" in keys:
                    keys["api_url"] = self.slack.api_url
                self.slack.answer = answer
                host = self.host(name="way-%d" % number, klass=klass, state="way-%d" % number, **keys)
                self.send(host, event(1), event(2, run_id="r2"))
                host.wait_for_line("refuses the login", said)
                state, why = wait_for(lambda: (lambda now: now[0] == "away" and now)(self.standing(host)), "it to be away")
                self.assertIn(said, why)
                self.assertEqual(json.loads(host.page("/health")[1])["status"], "degraded")
                self.send(host, event(3, run_id="r3"))
                wait_for(lambda: self.metric(host, "alerts_firing") == 3, "three alerts that fire")
                self.assertEqual(len(self.slack.requests), 1)  # the others are not charged with it
                self.slack.answer = "" if klass == "slack" else "200"
                secret.write_text(value)
                wait_for(lambda: self.metric(host, "alert_messages_sent_total") == 3, "all three to be told")
                wait_for(lambda: self.standing(host)[0] == "running", "it to be well again")
                self.assertEqual(self.metric(host, "alert_messages_refused_total"), 0)
                self.assertEqual(len([line for line in host.text().splitlines() if "refuses the login" in line]), 1)
                self.assertEqual(len([line for line in host.text().splitlines() if "Alerts are sent again" in line]), 1)
                self.assertNotIn("only-for-tests", host.text())
                self.assertEqual(host.end(), 0)

    def test_what_waits_for_longer_than_max_age_is_given_up_and_kept(self):
        self.slack.answer = "invalid_token"
        host = self.host(max_age="1s")
        self.send(host, event(1), event(2, run_id="r2"))
        host.wait_for_line("refuses the login", "invalid_token")
        wait_for(lambda: self.metric(host, "alert_messages_refused_total") == 2, "both to be given up")
        host.wait_for_line("given up", "max_age is over")
        self.assertEqual(len(self.slack.requests), 1)
        self.assertEqual(len((self.folder / "alerts-slack.state.refused").read_text().splitlines()), 2)

    def test_a_limit_is_obeyed_and_what_came_meanwhile_is_in_one_message(self):
        host = self.host()
        self.slack.answer = "429 3"
        self.send(host, event(1))
        host.wait_for_line("tried again", "429")
        self.send(host, *(event(number) for number in range(2, 12)))
        self.slack.answer = None
        self.assertIn("(11 times)", self.told(1)[0]["text"])
        self.assertEqual(len(self.slack.requests), 2)  # nothing was tried before the time was over

    def test_an_outage_is_followed_by_one_message_and_delivery_never_waited(self):
        host = self.host()
        self.slack.answer = "hang"
        for number in range(1, 31):
            self.send(host, event(number))
        wait_for(lambda: len((self.folder / "log.jsonl").read_text().splitlines()) == 30, "delivery to go on")
        host.wait_for_line("could not be sent", "Timeout")
        self.slack.release.set()
        self.slack.answer = "503"
        wait_for(lambda: self.metric(host, 'alert_messages_failed_total{node="slack",reason="server_error"}') > 0, "a 503")
        self.slack.answer = None
        self.assertIn("(30 times)", self.told(1)[0]["text"])
        self.send(host, event(99, "extraction.completed"))
        self.assertTrue(self.told(2)[1]["text"].startswith("[RESOLVED]"))
        self.assertEqual(len(self.slack.messages), 2)

    def test_a_kill_neither_repeats_nor_loses(self):
        rules = [LOW, {"name": "note", "when": {"types": ["extraction.started"]}, "title": "started {{data.run_id}}",
                       "labels": {"run": "{{data.run_id}}"}, "group_by": ["run"]}]
        host = self.host(rules=rules)
        self.send(host, *(event(number, run_id="r%d" % number) for number in range(1, 6)))
        self.send(host, event(6, "extraction.started"))
        self.told(6)
        state = self.folder / "alerts-slack.state"
        wait_for(lambda: state.read_text().count("\nS\t") == 6, "six messages in the state")
        self.slack.answer = "503"
        self.send(host, event(7, run_id="during"))
        host.wait_for_line("tried again", "503")
        host.end(signal.SIGKILL)
        self.slack.answer = None
        again = self.host(name="again", rules=rules)
        self.assertIn("40%", self.told(7)[6]["text"])  # what was not told before
        # The source tells again what it was not told to forget: no alert of it.
        self.send(again, event(6, "extraction.started"), event(7, run_id="during"))
        self.send(again, event(8, "extraction.completed", run_id="r3"))
        self.assertTrue(self.told(8)[7]["text"].startswith("[RESOLVED]"))
        self.assertEqual(len(self.slack.messages), 8)
        # And what the queue had shown just before the kill it may show again.
        self.assertIn(self.metric(again, 'alert_suppressed_total{node="slack",cause="duplicate"}'), (2, 3))

    def test_a_storm_becomes_a_handful_of_messages_that_give_the_count(self):
        rule = {"name": "failed", "when": {"types": ["specimen.failed"]}, "labels": {"specimen": "{{data.id}}"},
                "group_by": ["specimen"], "title": "{{data.id}} failed"}
        host = self.host(rules=[rule], group_wait="1s", group_interval="1s", max_groups=3, burst=10, messages_per_minute=60)
        for first in range(0, 10_000, 1000):
            self.send(host, *(event(first + number, "specimen.failed", id="s%d" % (first + number)) for number in range(1000)))

        def counted():
            total = 0
            for message in self.slack.messages:
                footer = message["attachments"][0]["blocks"][-1]["elements"][0]["text"]
                total += int(footer.split(" · ")[2].split()[0].replace(",", ""))
            return total

        wait_for(lambda: counted() == 10_000, lambda: "10,000 events to be told; so far %d" % counted())
        self.assertLessEqual(len(self.slack.messages), 20)

    def test_the_shipped_example_tells_of_both_runs(self):
        for run, told in (("failing", ["🚨 Extraction failed after 5 specimens"]),
                          ("healthy", ["✅ Early validation passed: 100% success", "🎉 Extraction completed: 23/25"])):
            self.slack.messages.clear()
            events = subprocess.run([ROOT / "packaging" / "extraction-events", run], capture_output=True, check=True).stdout
            (self.folder / run).mkdir()
            subprocess.run([SLUICE, "run", ROOT / "config" / "examples" / "alert_slack.yaml"], input=events, timeout=60,
                           capture_output=True, cwd=self.folder / run, env=environment(SLACK_WEBHOOK_URL=self.slack.webhook_url))
            self.assertEqual(sorted(message["text"] for message in self.slack.messages), sorted(told))

    def alert(self, *arguments, text=None):
        return subprocess.run([SLUICE, "alert", *arguments, "--config", self.folder / "config.yaml"], input=text, text=True,
                              capture_output=True, timeout=30, env=environment(), cwd=self.folder)

    def test_a_test_message_is_sent_beside_a_running_host(self):
        self.host()
        ran = self.alert("test", "slack")
        self.assertEqual((ran.returncode, ran.stdout), (0, "slack: sent\n"), ran.stderr)
        self.assertEqual(self.slack.messages[0]["text"], "[TEST] Sluice can reach you")
        self.slack.answer = "no_service"
        ran = self.alert("test", "slack")
        self.assertEqual((ran.returncode, ran.stdout), (1, "slack: not sent: client_error: HTTP 404: no_service\n"))
        self.assertEqual(self.alert("test", "nobody").returncode, 64)

    def test_a_rehearsal_says_what_would_be_sent_and_sends_nothing(self):
        self.config(group_wait="10s", group_interval="5m")
        lines = [event(1) | {"time": "2026-03-01T12:00:00Z"}, event(2) | {"time": "2026-03-01T12:00:05Z"},
                 event(3, "extraction.completed") | {"time": "2026-03-01T13:00:00Z"}]
        ran = self.alert("render", "slack", text="".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("2026-03-01 12:00:10 UTC  firing (first), rule low: 2 events\n", ran.stdout)
        self.assertIn("2026-03-01 13:00:00 UTC  resolved (resolved), rule low: 2 events\n", ran.stdout)
        self.assertIn("3 events, 3 picked by rules, 2 messages; 0 alerts fire on\n", ran.stdout)
        self.assertEqual(self.slack.requests, [])
        self.assertFalse((self.folder / "alerts-slack.state").exists())

    def test_a_silence_by_command_reaches_a_running_host_and_ends(self):
        host = self.host()
        self.assertEqual(self.alert("silence", "slack", "--match", "run=r1", "--for", "2h", "--comment", "test").returncode, 0)
        host.wait_for_line("Silences by command: 1")
        self.send(host, event(1), event(2, run_id="r2"))
        self.told(1)
        wait_for(lambda: self.metric(host, 'alert_suppressed_total{node="slack",cause="silence"}') > 0, "a silenced alert")
        self.assertEqual(len(self.slack.messages), 1)
        name = json.loads(self.alert("silence", "slack", "--list").stdout)["id"]
        self.assertEqual(self.alert("silence", "slack", "--end", name).returncode, 0)
        self.told(2)

    def test_check_finds_what_cannot_work_at_its_line(self):
        for change, said in (({"title": "{{tpye}}"}, "{{tpye}} stands for nothing"), ({"title": "{{#percent}}"}, "nclosed"),
                             ({"title": "{{labels.rnu}}"}, "{{labels.rnu}} stands for nothing"),
                             ({"if": ["success_rate < 1"]}, "does not begin with a JSON pointer"),
                             ({"group_by": ["rnu"]}, "no label"), ({"when": {"sql": "type ="}}, "sql"),
                             ({"resolve": {}}, "neither")):
            path = self.config(rules=[LOW | change])
            ran = subprocess.run([SLUICE, "check", path], capture_output=True, text=True, timeout=30, env=environment())
            self.assertEqual(ran.returncode, 78, ran.stdout)
            self.assertRegex(ran.stdout.splitlines()[0], r"config.yaml:\d+:\d+: consumers.slack.config.rules\[0\].*")
            self.assertIn(said, ran.stdout)
            self.assertNotIn("only-for-tests", ran.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
