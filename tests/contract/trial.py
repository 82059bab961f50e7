"""One case of one class in one role: the host between the class and something that the suite controls.

As a backend the class is fed by a file source (with a checkpoint) and read by its foreign client; as a source it is written
to by its foreign client and read from an event log. So a case is written once, for both."""

import json
import os
import pathlib
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent / "scenarios")]

import samples  # noqa: E402
import support  # noqa: E402
from support import Process, free_port, listens, wait_for  # noqa: E402

PATIENCE_S = 90


class Host(support.Host):
    """`sluice run`, called as the class asks for."""

    def __init__(self, folder, command, config, name):
        self.command = command
        super().__init__(folder, config, dialect="native", door=False, name=name)

    def begin(self, folder, config, sets, env, dialect, door, name):
        self.admin_port = free_port()
        arguments = [support.SLUICE, "run", config, "--set", "admin.listen=127.0.0.1:%d" % self.admin_port]
        Process.__init__(self, self.command([str(part) for part in arguments]), folder, name)
        wait_for(lambda: self.process.poll() is not None or listens(self.admin_port),
                 lambda: "the host to start, which printed:\n" + self.text(), PATIENCE_S)

    def node(self, name):
        return {node["name"]: node for node in json.loads(self.page("/health")[1])["nodes"]}[name]

    def resident_bytes(self):
        for line in pathlib.Path("/proc/%d/status" % self.process.pid).read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the host has no VmRSS")


class Trial:
    def __init__(self, far, role, case, folder, seed):
        self.far, self.role, self.case, self.seed = far, role, case, seed
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.place = "%s-%s" % (role, case.replace("_", "-"))
        self.hosts, self.writers, self.notes = [], [], []
        self.input, self.log = self.folder / "in.jsonl", self.folder / "out.jsonl"

    def note(self, text):
        """Stands beside `ok` in the summary."""
        self.notes.append(text)

    def make(self):
        self.far.make(self.place)

    def graph(self, config, delivery, sink, limits):
        """The class between a file and its far side, or between its far side and a log."""
        if self.role == "backend":
            paths = {"paths": [str(self.input)], "from": "beginning", "checkpoint": str(self.folder / "checkpoint"),
                     "max_line_bytes": "8MiB"}
            source, backend = {"class": "file", "config": paths}, {"class": self.far.name, "config": config}
        else:
            source = {"class": self.far.name, "config": config}
            backend = sink or {"class": "event_log", "config": {"path": str(self.log)}}
        backend = backend | {"inputs": ["in"], "delivery": {"retry": {"max_attempts": 20, "delay": "100ms", "max_delay": "1s"},
                                                            "breaker": False} | (delivery or {})}
        return {"sluice": 1, "plugins": {"path": [str(support.BUILD / "plugins")]}, "drain_deadline": "20s",
                "undelivered": str(self.folder / "undelivered.jsonl"), "limits": limits or {},
                "sources": {"in": source}, "backends": {"out": backend}}

    def host(self, config=None, port=None, password=None, missing=False, delivery=None, sink=None, limits=None, **more):
        """Starts it. `config`: more keys of the class under test."""
        own = getattr(self.far, self.role)(self.place, port=port, password=password)
        own = (self.far.missing(own) if missing else own) | (config or {})
        graph = self.graph(own, delivery, sink, limits) | more
        name = "host-%d" % len(self.hosts)
        file = self.folder / (name + ".yaml")
        file.write_text(json.dumps(graph, indent=1))
        started = Host(self.folder, lambda arguments: self.far.command(arguments, self.place), file, name)
        self.hosts.append(started)
        return started

    @property
    def node(self):
        return "out" if self.role == "backend" else "in"

    def away(self, host):
        """Waits until the class says that its far side is not there; what it says."""
        def said():
            node = host.node(self.node)
            return node["down"] and (node.get("last_error", {}).get("text") or " ")
        return wait_for(said, lambda: "the node to be away: %s\n%s" % (host.page("/health")[1], host.text()), PATIENCE_S)

    def put(self, lines, mode="structured", port=None, callers=1):
        """`callers` of a source whose callers wait for their answers, each with its share."""
        if self.role == "backend":
            with open(self.input, "ab") as out:
                out.write(b"".join(line + b"\n" for line in lines))
        elif self.far.writes_live:
            before = self.writers[:]  # one after the other: the lines stay in their order

            def write(share):
                for each in before:
                    each.join()
                self.far.write(self.place, share, mode, port)
            for number in range(callers):
                self.writers.append(threading.Thread(target=write, args=(lines[number::callers],), daemon=True))
                self.writers[-1].start()
        else:
            self.far.write(self.place, lines, mode)

    def named(self, host):
        """Waits for a line that names the place; what it says."""
        line = wait_for(lambda: host.lines(self.place), lambda: "a line that names the place:\n" + host.text(), PATIENCE_S)[0]
        said = json.loads(line)
        return said.get("reason") or said["message"]

    def put_empty(self):
        if self.role == "backend":
            self.put([b"[]"])
        else:
            self.far.write_empty(self.place)

    def got(self, mode="structured"):
        if self.role == "backend":
            return self.far.read(self.place, mode)
        if not self.log.exists():
            return []
        text = self.log.read_bytes()
        return text[:text.rfind(b"\n") + 1].splitlines()

    def published(self, host, least):
        wait_for(lambda: host.stats()["backends"]["out"]["events_published"] >= least,
                 lambda: "%d events published: %s\n%s" % (least, host.page("/stats")[1], tail(host)), PATIENCE_S)

    def expect(self, host, sent, mode="structured"):
        """Exactly these, in this order."""
        while_it_grows(lambda: host.stats()["backends"]["out"]["events_published"], len(sent),
                       lambda: "%d events: %s\n%s" % (len(sent), host.page("/stats")[1], tail(host)))
        got = wait_for(lambda: (lambda got: len(got) >= len(sent) and got)(self.got(mode)),
                       lambda: "%d events to be read, %d were\n%s" % (len(sent), len(self.got(mode)), tail(host)), PATIENCE_S)
        if self.role == "source" and mode != "structured":
            got = [samples.meaning(each) for each in got]
        wanted = [samples.meaning(line) for line in sent] if mode != "structured" else sent
        for number, (one, other) in enumerate(zip(got, wanted)):
            if one != other:
                raise AssertionError("event %d is\n%r\ninstead of\n%r" % (number, one[:500] if isinstance(one, bytes) else one,
                                                                          other[:500] if isinstance(other, bytes) else other))
        assert len(got) == len(wanted), "%d events arrived, %d were sent" % (len(got), len(wanted))

    def expect_none_lost(self, host, sent):
        """Every event at least once, and no other; how many came twice is noted."""
        wanted = {samples.identity(line) for line in sent}

        got = []

        def arrived():
            began = time.monotonic()
            got[:] = [samples.identity(each) for each in self.got()]
            here = len(wanted & set(got))
            if here < len(wanted):
                time.sleep(time.monotonic() - began)  # reading all of it again leaves the host half of the time
            return here
        while_it_grows(arrived, len(wanted), lambda: "%d events, %d are there\n%s" % (len(wanted), len(set(got)), tail(host)))
        assert set(got) == wanted, "strangers: %s" % sorted(set(got) - wanted)[:5]
        self.note("%d sent, 0 lost, %d twice" % (len(wanted), len(got) - len(wanted)))
        return len(got) - len(wanted)

    def end(self, host):
        code = host.end()
        assert code == 0, "the host ended with %d:\n%s" % (code, tail(host))
        for writer in self.writers:
            writer.join(support.PATIENCE_S)
            assert not writer.is_alive(), "the client is still waiting for an answer"

    def close(self):
        for host in self.hosts:
            if host.process.poll() is None:
                host.process.kill()
                host.process.wait()


def while_it_grows(figure, enough, what):
    """Waits until the figure is large enough. The bound is on standing still: how fast a machine is, is not asked."""
    best = figure()
    while best < enough:
        best = wait_for(lambda: (lambda now: now > best and now)(figure()), what, PATIENCE_S)


def tail(host, count=12):
    return "\n".join(line[:600] for line in host.text().splitlines()[-count:])


def smaller(count):
    """SLUICE_CONTRACT_EVENTS bounds the number of events of the long case."""
    return min(count, int(os.environ.get("SLUICE_CONTRACT_EVENTS", "100000")))
