"""Rows without a server: what the host does by itself and with its own disk."""
import os

from row import Row, Void, must_equal


class Decode(Row):
    def host_check(self, suite, cost):
        super().host_check(suite, cost)
        if f"events: {suite.events} in" not in cost.output:
            raise Void(f"void: {self.name}: the metrics observer did not see every event\n{cost.output}")

    def bare_command(self, suite):
        return [suite.client("bare_parse"), suite.input]


class Schema(Row):
    """An event that does not fit is dropped by the host and ends the bare client: both must let all of them through."""

    def environment(self, suite):
        return {"BENCH_SCHEMAS": suite.schemas}

    def bare_command(self, suite):
        return [suite.client("bare_schema"), suite.input, suite.schemas]


class EventLog(Row):
    def environment(self, suite):
        return {"BENCH_OUTPUT": suite.path("out.jsonl")}

    def bare_command(self, suite):
        return [suite.client("bare_append"), suite.input, suite.path("out.jsonl")]

    def check(self, suite):
        must_equal("event_log: bytes in the file", suite.digest(suite.path("out.jsonl")), suite.digest(suite.input))
        self.reset(suite)

    def reset(self, suite):
        os.unlink(suite.path("out.jsonl"))
        os.sync()  # so that one side's unwritten pages do not slow down the other


class Spool(Row):
    """Both write to the same disk; the host's folder must be empty again, the bare client's file whole."""

    def environment(self, suite):
        return {"BENCH_SPOOL": suite.path("spool")}

    def bare_command(self, suite):
        return [suite.client("bare_sync_append"), suite.input, suite.path("synced.jsonl")]

    def check(self, suite):
        left = [name for name in os.listdir(suite.path("spool")) if ".seg" in name]
        must_equal("spool: segments that are left", left, [])
        if os.path.exists(suite.path("synced.jsonl")):
            must_equal("spool: bytes in the file", suite.digest(suite.path("synced.jsonl")), suite.digest(suite.input))
        self.reset(suite)

    def reset(self, suite):
        if os.path.exists(suite.path("synced.jsonl")):
            os.unlink(suite.path("synced.jsonl"))
        os.sync()
