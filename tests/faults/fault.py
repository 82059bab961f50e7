"""What the fault tests share beside the scenarios' support: graphs as Python maps (JSON is YAML), input by the benchmark's
generator, and hosts that are killed, frozen and looked at.

SLUICE_BUILD_DIR names the build folder; SLUICE another program than the sluice in it (a mutant)."""
import json
import os
import pathlib
import random
import subprocess
import sys
import urllib.error

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(TESTS / "scenarios"), str(TESTS / "bench")]

import gen_events  # noqa: E402
import support  # noqa: E402
from support import Process, free_port, listens, main, wait_for, whole_lines  # noqa: E402, F401

if os.environ.get("SLUICE"):
    support.SLUICE = pathlib.Path(os.environ["SLUICE"])
SEED = int(os.environ.get("SLUICE_SEED", "20261120"))
RUN_S = 300  # the bound of a run to its end; sanitizer builds are slow


class Host(support.Host):
    """`sluice run` of a graph, with an admin page."""

    def __init__(self, folder, config, **more):
        super().__init__(folder, config, dialect="native", door=False, **more)

    def health(self):
        status, text = self.page("/health")
        return status, {node["name"]: node for node in json.loads(text)["nodes"]}

    def backend(self, name="out"):
        return self.stats()["backends"][name]

    def kill(self):
        self.process.kill()
        return self.process.wait(timeout=support.PATIENCE_S)

    def wait_long(self):
        return self.process.wait(timeout=RUN_S)

    def gone(self):
        """True once it ended; a page that is no longer answered says the same."""
        try:
            self.page("/health")
        except (urllib.error.URLError, OSError):
            return True
        return False


class Redis(support.Redis):
    """Ended by its process like every server here. durable: what it answered survives even a kill of the server."""

    def __init__(self, folder, port=None, durable=False):
        self.port = port or free_port()
        options = ["--appendonly", "yes", "--appendfsync", "always"] if durable else ["--appendonly", "no"]
        Process.__init__(self, ["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--save", "", "--dir", folder,
                                *options], folder, "redis")
        wait_for(lambda: "PONG" in self.cli("PING"), lambda: "redis-server to start, which printed:\n" + self.text())

    def write_lines(self, path, stream="ev"):
        """Every entry's event, a line each."""
        client, last = self.client(), "-"
        with open(path, "wb") as out:
            while entries := client.xrange(stream, last, "+", count=5000):
                out.writelines(fields[b"event"] + b"\n" for _, fields in entries)
                last = b"(" + entries[-1][0]
        return path


class Fault(support.Scenario):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)

    def path(self, name):
        return str(self.folder / name)

    def events(self, count, name="in.jsonl"):
        gen_events.write(count, self.path(name), SEED)
        return self.path(name)

    def graph(self, sources, backends, name="graph.yaml", **more):
        """A configuration file."""
        config = {"sluice": 1, "plugins": {"path": [str(support.BUILD / "plugins")]}, "sources": sources,
                  "backends": backends, **more}
        (self.folder / name).write_text(json.dumps(config, indent=1))
        return self.folder / name

    def start(self, config, **more):
        return self.keep(Host(self.folder, config, **more))

    def run_to_end(self, config, *sets, stdin=subprocess.DEVNULL):
        """A run to its end: a CompletedProcess whose stdout holds both streams."""
        arguments = [str(support.SLUICE), "run", str(config)]
        for each in sets:
            arguments += ["--set", each]
        return subprocess.run(arguments, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", cwd=self.folder, timeout=RUN_S, env=support.environment())

    def compare(self, sent, delivered, duplicates_at_most):
        """Ids as sets, by a program of its own. Its verdict in words when it is not satisfied."""
        ran = subprocess.run([support.PYTHON, str(HERE / "compare_ids.py"), str(sent), str(delivered),
                              str(int(duplicates_at_most))], capture_output=True, text=True)
        print(ran.stdout, end="", flush=True)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def last_lines(self, host, count=5):
        return "\n".join(host.text().splitlines()[-count:])


def file_source(path, **more):
    return {"class": "file", "config": {"paths": [str(path)], "from": "beginning", **more}}
