"""What a user can hand in: each wrong thing is refused with its own words before anything starts (exit 78), and what is only
unreachable is reported and tried again."""
import os
import pathlib
import shutil
import socket
import subprocess
import unittest

import fault
from fault import support, wait_for

BAD_CONFIG = 78
NOBODY = 65534


def graph_text(**parts):
    """A small valid graph, with parts of it replaced."""
    return "\n".join({"head": "sluice: 1", "sources": "sources:\n  door: {class: stdin}",
                      "backends": "backends:\n  log: {class: event_log, inputs: [door], config: {path: out.jsonl}}",
                      **parts}.values()) + "\n"


def bomb():
    lines = ["sluice: 1", "a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi"):
        lines.append(f"{name}: &{name} [{', '.join(['*' + before] * 9)}]")
    return "\n".join(lines) + "\n"


CONSUMERS_IN_A_CIRCLE = """consumers:
  one: {class: validation, inputs: [door, two]}
  two: {class: validation, inputs: [one]}"""

# name: (the file's bytes, what must be in the answer)
FILES = {
    "empty": (b"", ["config.yaml: is empty"]),
    "only a comment": (b"# nothing\n", ["config.yaml", "empty"]),
    "huge": (b"a" * (3 << 20), ["is larger than 1MiB"]),
    "binary": (bytes(range(256)) * 16, ["config.yaml: is not text"]),
    "null bytes": (b"sluice: 1\n\0\0\0\n", ["config.yaml: is not text: byte 10"]),
    "not UTF-8": (b"sluice: 1\nsources: {a: {class: \"\xff\xfe\"}}\n", ["config.yaml: is not UTF-8"]),
    "an ELF file": (pathlib.Path("/bin/true").read_bytes(), ["config.yaml"]),
    "a scalar": (b"hello\n", ["config.yaml:1"]),
    "not YAML": (b"sluice: 1\nsources: [\n", ["config.yaml:"]),
    "a tab": (b"sluice: 1\nsources:\n\tdoor: {class: stdin}\n", ["config.yaml:3"]),
    "an alias bomb": (bomb().encode(), ["config.yaml:", "50000 values"]),
    "deep nesting": (b"sluice: 1\nsources: " + b"[" * 5000 + b"]" * 5000, ["config.yaml:2", "nested deeper than"]),
    "a duplicate key": (graph_text(sources="sources:\n  door: {class: stdin}\n  door: {class: stdin}").encode(),
                        ["config.yaml:4:3: sources.door: this key is already in line 3"]),
    "an unknown input": (graph_text(sources="sources:\n  dor: {class: stdin}").encode(),
                         ['config.yaml:5:36: backends.log.inputs: there is no node "door"; did you mean "dor"?']),
    "two nodes of one name": (graph_text(sources="sources:\n  log: {class: stdin}").encode(),
                              ["backends.log: the name is taken by sources.log"]),
    "a circle": (graph_text(consumers=CONSUMERS_IN_A_CIRCLE).encode(), ["circle: one → two → one"]),
    "a circle of dead letters": (
        b"sluice: 1\nsources:\n  door: {class: stdin}\nbackends:\n"
        b"  a: {class: stdout, inputs: [door], delivery: {dead_letter: b}}\n"
        b"  b: {class: stdout, delivery: {dead_letter: a}}\n", ["circle: a → b → a"]),
    "an unknown key": (graph_text(backends="backends:\n  log: {class: event_log, inputs: [door], config: {pth: x}}")
                       .encode(), ["backends.log.config.pth: unknown key; did you mean", "backends.log.config.path: is required"]),
    "an unknown class": (graph_text(head="sluice: 1\nplugins: {path: [my_plugins]}",
                                    sources="sources:\n  door: {class: carrier_pigeon}").encode(),
                         ['sources.door.class: there is no class "carrier_pigeon"', "looked in my_plugins (no such folder)"]),
    "an undefined variable": (graph_text(backends="backends:\n  log: {class: event_log, inputs: [door], "
                                         "config: {path: \"${SLUICE_NO_SUCH_NAME}\"}}").encode(),
                              ["config.yaml:5:", "SLUICE_NO_SUCH_NAME"]),
    "an unknown version": (graph_text(head="sluice: 99").encode(), ["config.yaml:1", "sluice"]),
}


class RefusedTest(fault.Fault):
    def refuse(self, content, *wanted, **more):
        """check and run refuse it alike, before anything is written."""
        (self.folder / "config.yaml").write_bytes(content)
        for command in ("check", "run"):
            ran = self.run_sluice(command, "config.yaml", **more)
            said = ran.stdout + ran.stderr
            self.assertEqual(ran.returncode, BAD_CONFIG, said[:2000])
            for text in wanted:
                self.assertIn(text, said[:100_000])
        self.assertFalse((self.folder / "out.jsonl").exists())

    def test_files(self):
        """Configuration: refused with the place and the reason, when the file is what it must not be."""
        for name, (content, wanted) in FILES.items():
            with self.subTest(name):
                self.refuse(content, *wanted)

    def test_missing_file(self):
        """Configuration: refused by name, when there is no such file."""
        ran = self.run_sluice("run", "nothere.yaml")
        self.assertEqual(ran.returncode, BAD_CONFIG)
        self.assertIn("nothere.yaml: cannot be read: No such file or directory", ran.stderr)

    def test_folder(self):
        """Configuration: refused by name, when it is a folder."""
        ran = self.run_sluice("run", ".")
        self.assertEqual(ran.returncode, BAD_CONFIG)
        self.assertIn("is a folder; name a file", ran.stderr)

    def test_unreadable(self):
        """Configuration: refused with the system's reason, when it may not be read."""
        config = self.folder / "config.yaml"
        config.write_text(graph_text())
        config.chmod(0)
        self.folder.chmod(0o755)
        command = [str(support.SLUICE), "run", str(config)]
        if os.geteuid() == 0:  # nothing is unreadable for root
            if shutil.which("setpriv") is None:
                self.skipTest("root may read everything, and there is no setpriv to be somebody else")
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
        ran = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=support.PATIENCE_S)
        if "setpriv" in ran.stderr:
            self.skipTest("the program lies where nobody else may run it")
        self.assertEqual(ran.returncode, BAD_CONFIG, ran.stderr)
        self.assertIn("config.yaml: cannot be read: Permission denied", ran.stderr)

    def test_all_at_once(self):
        """Configuration: every problem is told in one go, when there are several."""
        text = graph_text(sources="sources:\n  dor: {class: carrier_pigeon}", more="no_such_section: 1")
        (self.folder / "config.yaml").write_text(text)
        ran = self.run_sluice("check", "config.yaml")
        self.assertEqual(ran.returncode, BAD_CONFIG)
        for part in ("no_such_section", "carrier_pigeon", 'there is no node "door"', "3 errors"):
            self.assertIn(part, ran.stdout + ran.stderr)

    def test_missing_plugin(self):
        """Plugins: the answer names every folder that was looked in, when a class is not there."""
        text = graph_text(head="sluice: 1\nplugins: {path: [first, second]}", sources="sources:\n  door: {class: kafkaa}")
        (self.folder / "first").mkdir()
        self.refuse(text.encode(), 'there is no class "kafkaa"', "looked in first, second (no such folder)")

    def test_port_in_use(self):
        """Ports: the run ends with the address and the system's reason, when the door's or the admin's is taken."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            door = f"sources:\n  door: {{class: http, config: {{listen: \"{address}\"}}}}"
            for text in (graph_text(sources=door), graph_text(head=f"sluice: 1\nadmin: {{listen: \"{address}\"}}")):
                (self.folder / "config.yaml").write_text(text)
                ran = self.run_sluice("run", "config.yaml")
                self.assertEqual(ran.returncode, BAD_CONFIG, ran.stderr)
                self.assertIn(address, ran.stderr)
                self.assertIn("Address already in use", ran.stderr)

    def test_unwritable_path(self):
        """Paths: refused with the path and the reason, when the log's can never be written."""
        (self.folder / "file").write_text("in the way\n")
        for path, reason in ((self.folder, "Is a directory"), (self.folder / "file" / "out.jsonl", "Not a directory")):
            with self.subTest(str(path)):
                text = graph_text(backends=f"backends:\n  log: {{class: event_log, inputs: [door], config: {{path: {path}}}}}")
                (self.folder / "config.yaml").write_text(text)
                ran = self.run_sluice("run", "config.yaml")
                self.assertEqual(ran.returncode, BAD_CONFIG, ran.stderr)
                self.assertIn(str(path), ran.stderr)
                self.assertIn(reason, ran.stderr)


class UnreachableTest(fault.Fault):
    def assert_waits(self, backend, serve):
        """Starts, says that the far side is away, and delivers everything once it is there."""
        sent = self.events(1000)
        host = self.start(self.graph({"in": fault.file_source(sent)}, {"out": {**backend, "inputs": ["in"]}}))
        status, nodes = wait_for(lambda: (lambda page: page[1]["out"]["down"] and page)(host.health()),
                                 lambda: "the backend to be away:\n" + host.text())
        self.assertEqual((status, nodes["out"]["state"]), (503, "away"))
        self.assertRegex(nodes["out"]["last_error"]["text"].lower(), "refused|couldn't connect")
        self.assertTrue(host.lines('"node":"out"', "away") or host.lines("Not reachable at start"), host.text())
        serve()
        wait_for(lambda: host.backend()["events_published"] == 1000, lambda: "all events:\n" + host.text())
        self.assertEqual(host.health()[0], 200)
        self.assertEqual(host.end(), 0, host.text())

    def test_redis(self):
        """Unreachable: starts, reports, and delivers when the server comes, over redis_streams."""
        port = fault.free_port()
        stream = {"url": f"redis://127.0.0.1:{port}/1", "stream_name": "ev"}
        self.assert_waits({"class": "redis_streams", "config": stream},
                          lambda: self.keep(fault.Redis(self.folder, port=port)))

    def test_webhook(self):
        """Unreachable: starts, reports, and delivers when the server comes, over a webhook."""
        from http.server import ThreadingHTTPServer
        closed = support.Recorder()
        port, handler = closed.server.server_port, closed.server.RequestHandlerClass
        closed.end()

        def serve():
            server = ThreadingHTTPServer(("127.0.0.1", port), handler)
            support.threading.Thread(target=server.serve_forever, daemon=True).start()
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)

        self.assert_waits({"class": "webhook", "config": {"url": f"http://127.0.0.1:{port}/hook"}}, serve)


if __name__ == "__main__":
    unittest.main(verbosity=2)
