#!/usr/bin/python3
"""What a person can hand in: configurations that are none, graphs that cannot be, ports and paths that are taken. Each is refused
with a line that says where and what, before anything starts; servers that are not there stop nobody."""

import json
import os
import signal
import socket
import subprocess

from support import PATIENCE_S, SLUICE, Process, Redis, Scenario, environment, free_port, main, wait_for

LOG = "backends: {log: {class: event_log, inputs: [in], config: {path: out.jsonl}}}\n"
IN = "sources: {in: {class: stdin}}\n"
EVENT = json.dumps({"specversion": "1.0", "id": "1", "source": "s", "type": "t"}) + "\n"


def bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += ["a%d: &a%d [%s]" % (i, i, ", ".join(["*a%d" % (i - 1)] * 9)) for i in range(1, 12)]
    return "sluice: 1\nsources: {in: {class: stdin}}\n" + "\n".join(lines) + "\n"


REFUSED = {
    "empty": (b"", "graph.yaml"),
    "binary": (bytes(range(256)) * 10, "graph.yaml:"),
    "not UTF-8": ("sluice: 1\n# caf\xe9\n".encode("latin-1"), "UTF-8"),
    "no YAML": (b"sluice: [1\n", "graph.yaml:"),
    "huge": (b"# " + b"x" * 3_000_000, "larger than 1MiB"),
    "a bomb": (bomb().encode(), "graph.yaml"),
    "another version": (b"sluice: 2\n", "graph.yaml:1:"),
    "a key twice": (("sluice: 1\n" + IN + IN).encode(), "graph.yaml:3:"),
    "one name twice": (b"sluice: 1\nsources: {in: {class: stdin}}\nbackends: {in: {class: 'null', inputs: [in]}}\n", "in"),
    "an unknown input": (("sluice: 1\n" + IN + LOG.replace("[in]", "[inn]")).encode(), "inn"),
    "a mistyped key": (("sluice: 1\n" + IN + LOG.replace("path", "pth")).encode(), 'did you mean "path"'),
    "a cycle": (b"sluice: 1\nsources: {in: {class: stdin}}\nconsumers: {a: {class: validation, inputs: [in, b]}, "
                b"b: {class: validation, inputs: [a]}}\nbackends: {out: {class: 'null', inputs: [b]}}\n", "a"),
    "a class that is not there": (b"sluice: 1\nsources: {in: {class: stdin}}\nbackends: {out: {class: carrier_pigeon, "
                                  b"inputs: [in]}}\n", "looked in"),
    "a variable that is not set": (("sluice: 1\n" + IN + LOG.replace("out.jsonl", '"${NO_SUCH_NAME}"')).encode(), "NO_SUCH_NAME"),
}


class Refused(Scenario):
    def test_each_is_refused_with_where_and_what(self):
        for name, (content, part) in REFUSED.items():
            with self.subTest(name):
                (self.folder / "graph.yaml").write_bytes(content)
                for command in ("check", "run"):
                    ran = self.run_sluice(command, "graph.yaml", stdin=EVENT)
                    self.assertEqual(ran.returncode, 78, (command, ran.stdout, ran.stderr))
                    self.assertIn(part, ran.stdout + ran.stderr)
                self.assertFalse((self.folder / "out.jsonl").exists())

    def test_a_file_that_is_not_there_or_not_a_file(self):
        for name in ("absent.yaml", str(self.folder)):
            ran = self.run_sluice("run", name)
            self.assertEqual(ran.returncode, 78, ran.stderr)
            self.assertIn(name, ran.stdout + ran.stderr)

    def test_all_problems_at_once(self):
        (self.folder / "graph.yaml").write_text("sluice: 1\nsoruces: {}\nsources: {in: {class: stdin, fromat: x}}\nbackends:\n"
                                                "  log: {class: event_log, inputs: [nobody], config: {pth: x, fsync: maybe}}\n")
        ran = self.run_sluice("check", "graph.yaml")
        self.assertEqual(ran.returncode, 78)
        for part in ("soruces", "fromat", "nobody", "pth", "fsync"):
            self.assertIn(part, ran.stdout + ran.stderr)

    def test_wrong_command_lines(self):
        for arguments in ([], ["rnu"], ["run"], ["run", "a.yaml", "--nope"], ["emit"]):
            ran = self.run_sluice(*arguments)
            self.assertIn(ran.returncode, (0, 64) if not arguments else (64,), (arguments, ran.stdout, ran.stderr))

    def test_a_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for sets in (["--set", "sources.in.config.listen=127.0.0.1:%d" % port],
                         ["--set", "admin.listen=127.0.0.1:%d" % port, "--set",
                          "sources.in.config.listen=127.0.0.1:%d" % free_port()]):
                (self.folder / "graph.yaml").write_text("sluice: 1\nsources: {in: {class: http, config: {}}}\n" + LOG)
                ran = self.run_sluice("run", "graph.yaml", *sets)
                self.assertEqual(ran.returncode, 78, ran.stdout + ran.stderr)
                self.assertIn(str(port), ran.stdout + ran.stderr)

    def test_a_path_that_cannot_be_written_is_named(self):
        (self.folder / "file").write_text("")
        (self.folder / "graph.yaml").write_text("sluice: 1\n" + IN + LOG.replace("out.jsonl", "file/below/out.jsonl"))
        ran = self.run_sluice("run", "graph.yaml", stdin=EVENT)
        self.assertEqual(ran.returncode, 78, ran.stdout + ran.stderr)
        self.assertIn("file/below", ran.stdout + ran.stderr)


class Running(Scenario):
    def test_a_server_that_comes_later_gets_what_was_kept(self):
        port = free_port()
        (self.folder / "graph.yaml").write_text(
            "sluice: 1\nadmin: {listen: '127.0.0.1:1'}\nsources: {door: {class: http, config: {listen: '127.0.0.1:1'}}}\n"
            "backends: {stream: {class: redis_streams, inputs: [door], config: {url: 'redis://127.0.0.1:%d/1', stream_name: s},"
            " delivery: {retry: {delay: 100ms, max_delay: 200ms}, breaker: false}}}\n" % port)
        host = self.host(self.folder / "graph.yaml", dialect="native")
        wait_for(lambda: host.page("/ready")[0] == 503, "not ready while Redis is not there")
        waiting = self.keep(Process(["curl", "-s", "-o", "answer", "-w", "%{http_code}", "-X", "POST", host.door, "-H",
                                     "Content-Type: application/cloudevents+json", "-d", EVENT], self.folder, "curl"))
        wait_for(lambda: host.stats()["sources"]["door"]["events_in"] == 1, "the event to be taken in")
        redis = self.keep(Redis(self.folder, port))
        self.assertEqual(waiting.wait(), 0)
        self.assertEqual(waiting.text(), "202")
        self.assertEqual(len(redis.events("s")), 1)
        wait_for(lambda: host.page("/ready")[0] == 200 and host.page("/health")[0] == 200, "ready")
        self.assertEqual(host.end(), 0, host.text())

    def test_both_signals_drain_and_end_with_0(self):
        (self.folder / "graph.yaml").write_text("sluice: 1\n" + IN + LOG)
        for sign in (signal.SIGTERM, signal.SIGINT):
            host = subprocess.Popen([SLUICE, "run", "graph.yaml"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True, cwd=self.folder, env=environment())
            self.addCleanup(host.kill)
            host.stdin.write(EVENT)
            host.stdin.flush()
            log = self.folder / "out.jsonl"
            wait_for(lambda: log.exists() and log.read_text(), "the event in the log")
            host.send_signal(sign)
            self.assertEqual(host.wait(timeout=PATIENCE_S), 0)
            self.assertIn("Summary", host.stderr.read())
            host.stderr.close()
            host.stdin.close()
            os.remove(log)

    def test_a_reader_that_goes_away_kills_nobody(self):
        (self.folder / "graph.yaml").write_text("sluice: 1\n" + IN + "backends: {out: {class: stdout, inputs: [in]}, "
                                                "log: {class: event_log, inputs: [in], config: {path: out.jsonl}}}\n")
        lines = "".join(EVENT.replace('"1"', '"%d"' % i, 1) for i in range(2000))
        ran = subprocess.run(["bash", "-c", '"$0" run graph.yaml --set drain_deadline=1s | head -1 >/dev/null; exit ${PIPESTATUS[0]}',
                              SLUICE], input=lines, text=True, capture_output=True, cwd=self.folder, timeout=PATIENCE_S,
                             env=environment())
        self.assertIn(ran.returncode, (0, 1), ran.stderr)  # never 141
        self.assertEqual(len((self.folder / "out.jsonl").read_text().splitlines()), 2000)


if __name__ == "__main__":
    main()
