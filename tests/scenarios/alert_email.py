"""Alerts by mail to a real mail server: what arrives, part by part; TLS and logins; recipients that do not stop each other;
a server that is away."""

import email.utils
import json
import pathlib
import subprocess
import tempfile
import unittest

import yaml

from support import BUILD, ROOT, SLUICE, Host, environment, wait_for

from servers import smtp, tls as certificates


def event(kind, sequence, **data):
    return {"specversion": "1.0", "id": "e-%d" % sequence, "source": "/extraction", "type": kind, "data": data,
            "time": "2026-03-01T12:00:00Z"}


class Mail(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="sluice-alert-email-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def server(self, **how):
        server = smtp.Server(self.folder, **how).start()
        self.addCleanup(server.stop)
        return server

    def host(self, server, name="sluice", **more):
        config = {"host": "127.0.0.1", "port": server.port, "from": "Sluice <sluice@example.org>", "to": ["ops@example.org"],
                  "group_wait": "0s", "group_interval": "0s", "tls": "none", "timeout": "5s",
                  "rules": [{"name": "extraction_failed", "when": {"types": ["extraction.failed"]}, "severity": "critical",
                             "labels": {"run": "{{data.run_id}}"}, "group_by": ["run"], "title": "🚨 Extraction failed",
                             "text": "Early validation failed: {{#percent}}{{data.success_rate}}{{/percent}} <success>\nReason: "
                                     "{{data.reason}}",
                             "resolve": {"when": {"types": ["extraction.completed"]}}}]} | more
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump({
            "sluice": 1, "plugins": {"path": [str(BUILD / "plugins")]},
            "sources": {"door": {"class": "http", "config": {"listen": "127.0.0.1:0"}}},
            "consumers": {"mail": {"class": "email", "inputs": ["door"], "config": config}},
            "backends": {"log": {"class": "event_log", "inputs": ["door"], "config": {"path": str(self.folder / "log.jsonl")}}}},
            allow_unicode=True))
        host = Host(self.folder, path, dialect="native", name=name)
        self.addCleanup(host.end)
        return host

    def send(self, host, *events):
        for each in events:
            self.assertEqual(host.post(each)[0], 202)

    def arrived(self, server, count):
        return wait_for(lambda: len(server.mails()) >= count and server.mails(),
                        lambda: "%d mails of %d; the server: %s" % (count, len(server.mails()), server.process.text()))

    def test_a_mail_arrives_as_it_was_meant(self):
        server = self.server(tls=True, auth=True)
        host = self.host(server, tls="starttls", ca_file=str(server.certificates.authority), user=smtp.USER,
                         password=smtp.PASSWORD)
        self.send(host, event("extraction.failed", 1, run_id="r 1", success_rate=0.4, reason="<b>ünlesbar</b> 🚨"))
        first = self.arrived(server, 1)[0]
        self.assertEqual(first["subject"], "🚨 Extraction failed")
        self.assertEqual(first["from"], "Sluice <sluice@example.org>")
        self.assertEqual(first["to"], "ops@example.org")
        self.assertEqual(first.recipients, ["ops@example.org"])
        self.assertEqual(first["auto-submitted"], "auto-generated")
        self.assertIsNotNone(email.utils.parsedate_to_datetime(first["date"]))
        text = first.get_body(("plain",)).get_content()
        self.assertIn("Early validation failed: 40% <success>\nReason: <b>ünlesbar</b> 🚨\n", text.replace("\r\n", "\n"))
        page = first.get_body(("html",)).get_content()
        self.assertIn("Reason: &lt;b&gt;ünlesbar&lt;/b&gt; 🚨", page)
        self.assertIn("<td>r 1</td>", page)
        kinds = [part.get_content_type() for part in first.walk() if not part.is_multipart()]
        self.assertEqual(kinds, ["text/plain", "text/html"])
        # Its end answers it, in the same thread, over the same connection.
        self.send(host, event("extraction.completed", 2, run_id="r 1"))
        second = self.arrived(server, 2)[1]
        self.assertEqual(second["subject"], "[RESOLVED] 🚨 Extraction failed")
        self.assertEqual(second["in-reply-to"], first["message-id"])
        self.assertEqual(second["references"], first["message-id"])
        self.assertNotEqual(second["message-id"], first["message-id"])
        self.assertEqual(server.connections(), 1)

    def test_the_shipped_example_mails_of_a_failed_run(self):
        server = self.server()
        events = subprocess.run([ROOT / "packaging" / "extraction-events", "failing"], capture_output=True, check=True).stdout
        subprocess.run([SLUICE, "run", ROOT / "config" / "examples" / "alert_email.yaml"], input=events, timeout=60,
                       capture_output=True, cwd=self.folder, env=environment(SMTP_PORT=server.port, SMTP_TLS="none"))
        mail, = server.mails()
        self.assertEqual(mail["subject"], "🚨 Extraction Failed")
        self.assertIn("20% after 5 specimens", mail.get_body(("plain",)).get_content())

    def test_each_way_to_log_in_and_tls_from_the_first_byte(self):
        server = self.server(tls=True, auth=True, implicit=True)
        for number, way in enumerate(("any", "PLAIN", "LOGIN", "CRAM-MD5"), 1):
            secret = self.folder / "password"
            secret.write_text(smtp.PASSWORD + "\n")
            host = self.host(server, name=way, tls="implicit", ca_file=str(server.certificates.authority), user=smtp.USER,
                             password_file=str(secret), auth=way, state="none")
            self.send(host, event("extraction.failed", number, run_id=way))
            self.arrived(server, number)
            host.end()

    def standing(self, host):
        node, = [node for node in json.loads(host.page("/health")[1])["nodes"] if node["name"].startswith("mail")]
        return node["state"]

    def test_a_wrong_password_is_reported_and_never_shown(self):
        server = self.server(auth=True)
        secret = self.folder / "password"
        secret.write_text("wrong-and-secret")
        host = self.host(server, user=smtp.USER, password_file=str(secret))
        self.send(host, event("extraction.failed", 1, run_id="a"))
        host.wait_for_line("refuses the login")
        wait_for(lambda: self.standing(host) == "away", "the receiver to be away")
        wait_for(lambda: 'alert_messages_failed_total{' in host.page("/metrics")[1] and
                 [line for line in host.page("/metrics")[1].splitlines() if 'reason="auth"' in line and not line.endswith(" 0")],
                 lambda: host.text() + host.page("/metrics")[1])
        self.assertNotIn("wrong-and-secret", host.text())
        self.assertEqual(server.mails(), [])
        self.send(host, event("extraction.failed", 2, run_id="b"))
        wait_for(lambda: 'sluice_alerts_firing{node="mail"} 2' in host.page("/metrics")[1], lambda: host.page("/metrics")[1])
        self.assertEqual(server.connections(), 1)  # who tries too often is locked out
        secret.write_text(smtp.PASSWORD)
        self.assertEqual(len(self.arrived(server, 2)), 2)
        wait_for(lambda: self.standing(host) == "running", "the receiver to be there again")

    def test_a_server_that_demands_a_login_is_away_for_who_has_none(self):
        server = self.server(auth=True)
        host = self.host(server)
        self.send(host, event("extraction.failed", 1, run_id="a"))
        host.wait_for_line("refuses the login", "530")
        self.assertNotIn("given up", host.text())
        self.assertEqual(server.mails(), [])

    def test_without_encryption_there_is_no_mail(self):
        server = self.server()  # it offers no STARTTLS
        host = self.host(server, tls="starttls")
        self.send(host, event("extraction.failed", 1, run_id="a"))
        host.wait_for_line("could not be sent")
        self.assertEqual(server.mails(), [])

    def test_a_certificate_that_is_not_trusted_gets_no_mail(self):
        made = certificates.Certificates(self.folder / "tls")
        for name, pair in made.twins.items():
            server = smtp.Server(self.folder, tls=made, certificate=pair).start()
            try:
                host = self.host(server, name="sluice-" + name, tls="starttls", ca_file=str(made.authority), state="none")
                self.send(host, event("extraction.failed", 1, run_id="a"))
                host.wait_for_line("could not be sent")
                host.end()
                self.assertEqual(server.mails(), [], name)
            finally:
                server.stop()

    def test_one_refused_recipient_stops_no_other(self):
        server = self.server()
        server.refuse("nobody@example.org", "550 5.1.1 no such user")
        server.refuse("later@example.org", "451 4.3.0 try again")
        host = self.host(server, to=["nobody@example.org", "later@example.org", "ops@example.org"])
        self.send(host, event("extraction.failed", 1, run_id="a"))
        self.assertEqual(self.arrived(server, 1)[0].recipients, ["ops@example.org"])
        host.wait_for_line("refused and is given up", "no such user")
        host.wait_for_line("tried again", "4.3.0")
        server.refuse("later@example.org", None)
        mails = self.arrived(server, 2)
        self.assertEqual([mail.recipients for mail in mails], [["ops@example.org"], ["later@example.org"]])

    def test_a_server_that_is_away_gets_one_mail_when_it_is_back(self):
        server = self.server()
        host = self.host(server)
        server.kill()
        self.send(host, *(event("extraction.failed", number, run_id="a") for number in range(1, 21)))
        host.wait_for_line("could not be sent")
        server.start()
        self.assertIn("20 times", self.arrived(server, 1)[0]["subject"])
        self.send(host, event("extraction.completed", 99, run_id="a"))
        self.assertEqual(len(self.arrived(server, 2)), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
