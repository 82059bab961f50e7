"""What a row is: what the host is asked to do, what the bare client beside it does, and how a run shows that both did it.

A Row runs one side at a time: host(suite) and bare(suite) return events per second and CPU microseconds per event. A
side that did less than it was asked to ends the whole run with Void: numbers of different work are no comparison."""
import statistics
from dataclasses import dataclass

import measure


class Void(SystemExit):
    """The two sides did not do the same."""


@dataclass
class Side:
    rate: float    # events per second
    cpu_us: float  # own CPU per event
    peak_mib: float = 0.0
    busy: float = 0.0


def must_equal(what, found, wanted):
    if found != wanted:
        raise Void(f"void: {what}: {found}, wanted {wanted}")


class Row:
    """name: for --only. target: the least ratio of the rates. broker: the CPU rule of saturated machines applies."""

    events_max = 1 << 62  # a slow server is not given more than this

    def __init__(self, name, title, against, target, config, modules, broker=False):
        self.name, self.title, self.against, self.target = name, title, against, target
        self.config, self.modules, self.broker = config, modules, broker

    def environment(self, suite):
        return {}

    def bare_command(self, suite):
        raise NotImplementedError

    def check(self, suite):
        """After each side."""

    def host_check(self, suite, cost):
        published = f"published {suite.events}, failed 0"
        if published not in cost.output:
            raise Void(f"void: {self.name}: the host did not say: {published}\n{cost.output}")

    def run_host(self, suite, input_path):
        environment = {"BENCH_INPUT": input_path, **self.environment(suite)}
        return measure.run([suite.sluice, "run", suite.config(self.config), "--set",
                            f"plugins.path=[{suite.plugins}]"], environment)

    def start_cost(self, suite):
        """What start and stop take by themselves: the same graph over one event. Taken off the host's time."""
        runs = [self.run_host(suite, suite.one_event) for _ in range(3)]
        self.reset(suite)
        return (statistics.median(run.seconds for run in runs), statistics.median(run.cpu for run in runs))

    def reset(self, suite):
        """Forget what a run that does not count left behind."""

    def host(self, suite, start):
        cost = self.run_host(suite, suite.input)
        self.host_check(suite, cost)
        self.check(suite)
        seconds, cpu = max(1e-9, cost.seconds - start[0]), max(0.0, cost.cpu - start[1])
        return Side(suite.events / seconds, cpu / suite.events * 1e6, cost.peak_mib, cost.machine_busy)

    def bare(self, suite):
        cost = measure.run(self.bare_command(suite))
        must_equal(f"{self.name}: events of the bare client", int(cost.result["events"]), suite.events)
        self.check(suite)
        return Side(suite.events / cost.result["seconds"], cost.result["cpu"] / suite.events * 1e6)
