"""The rows that are no pair of rates: latency at a steady rate, the plugin boundary, memory at rest, time of a check."""
import json
import os
import statistics
import subprocess
import time

import measure
from servers import free_port, wait_for

PACED_RATE = 5000
CHECKS = 20
IDLE_SECONDS = 5


def latency(suite):
    """[(what, target, measured, holds)]. Both ways in turn; what is added is the difference of their p99."""
    paced = [suite.client("paced"), suite.input, str(suite.redis().port), str(PACED_RATE),
             str(PACED_RATE * suite.paced_seconds)]
    host = [suite.sluice, "run", suite.config("redis_paced.yaml"), "--set", f"plugins.path=[{suite.plugins}]"]
    bare_ms, host_ms = [], []
    for _ in range(suite.pairs):
        for command, times in ((host, host_ms), ([], bare_ms)):
            suite.redis().cli("DEL", "ev")
            times.append(measure.run(paced + command, {"BENCH_PORT": str(suite.redis().port)}).result["p99_ms"])
            added = suite.redis().entries_added("ev")
            if added != PACED_RATE * suite.paced_seconds:
                raise SystemExit(f"void: latency: {added} entries, wanted {PACED_RATE * suite.paced_seconds}")
    suite.redis().cli("DEL", "ev")
    added = statistics.median(h - b for h, b in zip(host_ms, bare_ms))
    return [(f"redis at {PACED_RATE} events/s, added latency at p99", "under 1 ms more",
             f"{added:.3f} ms (host {statistics.median(host_ms):.3f}, bare {statistics.median(bare_ms):.3f})",
             added < 1.0)]


def boundary(suite):
    rows = []
    found = measure.results_of(measure.run([suite.client("boundary"), suite.plugins]).output)
    for result, limit_ns in zip(found, (20, 100)):
        rows.append((f"plugin boundary per event, batch of {result['batch']:.0f}", f"under {limit_ns} ns",
                     f"{result['plugin_ns']:.2f} ns (direct call {result['direct_ns']:.2f} ns)",
                     result["plugin_ns"] < limit_ns))
    return rows


def idle(suite):
    open(suite.path("empty.jsonl"), "w", encoding="ascii").close()
    port = free_port()
    environment = {**os.environ, "BENCH_INPUT": suite.path("empty.jsonl"), "BENCH_OUTPUT": suite.path("idle.jsonl"),
                   "BENCH_PORT": str(port)}
    process = subprocess.Popen([suite.sluice, "run", suite.config("idle.yaml"), "--set",
                                f"plugins.path=[{suite.plugins}]"], env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: suite.answers(f"http://127.0.0.1:{port}/ready"), "the idle host to be ready")
        before = cpu_of(process.pid)
        time.sleep(IDLE_SECONDS)  # the thing measured is time passing without work
        resident, own = measure.status_mib(process.pid, "VmRSS"), measure.status_mib(process.pid, "RssAnon")
        cpu = cpu_of(process.pid) - before
    finally:
        process.terminate()
        process.wait(30)
    return [("memory, idle host (modules: file)", "under 15 MiB", f"{resident:.1f} MiB, {own:.1f} of it its own",
             resident < 15),
            ("CPU, idle host", "", f"{cpu / IDLE_SECONDS * 100:.2f} % of a core", True)]


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def start_time(suite):
    times = [measure.run([suite.sluice, "check", suite.config("ten_nodes.yaml")]).seconds * 1e3 for _ in range(CHECKS)]
    median = statistics.median(times)
    return [("start: sluice check of a ten-node graph", "under 100 ms", f"{median:.1f} ms", median < 100)]


def cesql(suite):
    found = measure.results_of(measure.run([suite.client("cesql_bench"), suite.input]).output)
    return [(f"CESQL, {what}, per event", f"under {limit_ns} ns" if limit_ns else "", f"{result['ns']:.0f} ns",
             not limit_ns or result["ns"] < limit_ns)
            for what, limit_ns, result in zip(("type LIKE 'x%' AND subject = …", "type LIKE '%x' OR (EXISTS … AND …)"), (150, 0), found)]


def alert_rules():
    """A hundred, of which none fires: what is measured is the matching. Thirty look at data of nine events in ten, ten are
    asked about every event by a filter of another kind, forty are for types that do not come."""
    nlp = "com.storytelling.nlp."
    fields = ["/processing_time_seconds > %d", "/metrics/event_count > %d", "/metrics/entity_count > %d",
              "/metrics/soa_triplet_count > %d", "/metadata/retry > %d", "/output_location/bucket == \"bucket-%d\""]
    rules = [({"types": [nlp + "document.processed"]}, fields[n % 6] % (100_000 + n)) for n in range(30)]
    rules += [({"types": [nlp + ("document.failed", "batch.completed")[n % 2]]}, f"/processing_time_seconds > {10_000 + n}")
              for n in range(20)]
    rules += [({"types": [f"com.example.kind.{n}"]}, None) for n in range(40)]
    rules += [({"prefix": {"source": f"/ocr/{n}"}}, None) for n in range(5)]
    rules += [({"sql": f"source = '/ocr/{n}' AND EXISTS subject"}, None) for n in range(5)]
    return [{"name": f"rule_{n}", "when": when, "title": "{{type}}"} | ({"if": [condition]} if condition else {})
            for n, (when, condition) in enumerate(rules)]


def node_cost_ns(suite, klass, config):
    """Of one event in process()."""
    with open(suite.path(klass + ".json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    return measure.run([suite.client("node_bench"), suite.plugins, klass, suite.path(klass + ".json"), suite.input]).result["ns"]


def aggregates(suite):
    """Two numbers out of data and a label out of it, by type: the dearest of what it does."""
    config = {"window": 60_000, "slide": 10_000, "time": "processing", "types": [],
              "by_type": True, "types_max": 16, "quantiles": [0.5, 0.95, 0.99], "memory": 32 << 20,
              "label": {"name": "bucket", "from": "/output_location/bucket", "values_max": 20},
              "fields": [{"pointer": "/processing_time_seconds", "name": "took"},
                         {"pointer": "/metrics/entity_count", "name": "entities"}]}
    full_ns = node_cost_ns(suite, "aggregate", config)
    count_ns = node_cost_ns(suite, "aggregate", {key: value for key, value in config.items() if key != "label"} | {"fields": []})
    return [("aggregate: count by type, per event", "", f"{count_ns:.0f} ns", True),
            ("aggregate: and two fields and a label out of data, per event", "", f"{full_ns:.0f} ns", True)]


def alerts(suite):
    config = {"url": "http://127.0.0.1:9/", "state": "none", "rules": alert_rules()}
    cost_ns = node_cost_ns(suite, "alert_webhook", config)
    return [("alerts: an event against 100 rules", "at least 500,000 events/s",
             f"{1e9 / cost_ns:,.0f} events/s ({cost_ns:.0f} ns an event)", cost_ns <= 2000)]


FACTS = {"latency": latency, "boundary": boundary, "cesql": cesql, "alerts": alerts, "aggregates": aggregates, "idle": idle, "start": start_time}
