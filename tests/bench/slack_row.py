"""The row of an observer whose far side hangs: it must not slow delivery."""
import dataclasses
import shutil

from broker_rows import RedisStreams
from row import Void
from servers.slack import Server as Slack


class UntilLastEntry(RedisStreams):
    """What counts ends when Redis took the last event, which is what an entry's id says: a moment of this machine's clock.
    What the host does afterwards plays no part, nor does the look at the stream."""

    def run_host(self, suite, input_path):
        cost = super().run_host(suite, input_path)
        return dataclasses.replace(cost, seconds=suite.redis().last_entry_at("ev") - cost.began)


class SlackHangs(UntilLastEntry):
    """Both sides are the host: with a Slack that never answers, and without one."""

    slack, alone_start = None, None

    def environment(self, suite):
        if self.slack is None:
            self.slack = Slack().start()
            self.slack.answer = "hang"
        return {**super().environment(suite), "BENCH_SLACK": self.slack.webhook_url, "BENCH_ALERTS": suite.path("alerts")}

    def run_host(self, suite, input_path):
        shutil.rmtree(suite.path("alerts"), ignore_errors=True)  # else the next run would begin with what this one left
        return super().run_host(suite, input_path)

    def host_check(self, suite, cost):
        super().host_check(suite, cost)
        if "Alerts were not sent before the end" not in cost.output:
            raise Void(f"void: {self.name}: nothing waited for Slack\n{cost.output}")

    def bare(self, suite):
        alone = UntilLastEntry(self.name, self.title, self.against, self.target, "redis_streams.yaml", self.modules)
        self.alone_start = self.alone_start or alone.start_cost(suite)
        return alone.host(suite, self.alone_start)
