"""What the tables of kills have in common that are about one broker each: a file of events goes through the spool of a backend
into a server that is killed again and again, and every event must be there at the end."""
import argparse
import sys

import ends
import fault
import kill_table


class Row(kill_table.Row):
    def __init__(self, kind, kills):
        super().__init__(kind, (kind,), kills)

    def into_the_broker(self, count, source=None, spool=None, **delivery):
        """Starts the server and writes `count` events. The file's path, and the configuration of a host that delivers them."""
        kind = self.kinds[0]
        self.server = self.keep(ends.Servers(self.folder)).of(kind)
        self.far = ends.KINDS[kind](self.server, self.folder, "kept")
        self.far.prepare()
        sent = self.events(count)
        reads = fault.file_source(sent, checkpoint=self.path("checkpoint"), **(source or {}))
        config = self.graph({"in": reads}, {"out": {**self.far.backend(), "inputs": ["in"], "delivery": {
            "spool": {"path": self.path("spool"), **(spool or {})}, "rate_limit": f"{ends.RATE}/s",
            "retry": {"max_attempts": 1}, **delivery}}}, drain_deadline="60s")
        return sent, config

    def judge_arrived(self, sent, copies, least):
        self.judge(sent, self.far.write_lines(self.path("arrived.jsonl")), copies, least)


def main(row, doc, least):
    """`least`: the heading of what was there at a kill at least."""
    ask = argparse.ArgumentParser(description=doc)
    ask.add_argument("brokers", nargs="*", help=", ".join(ends.BROKERS))
    given = kill_table.arguments(ask)
    kinds = ends.BROKERS if given.all else given.brokers
    sys.exit(kill_table.run((row(kind, given.kills) for kind in kinds), ("broker", least), given.out, ends.missing))
