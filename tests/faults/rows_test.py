"""Rows over kills of the host: file → event_log, with metrics_sql watching through its durable queue. kill -9 at random moments,
also while the database cannot be written: in the end there is one row for each event."""
import json
import sqlite3
import time
import unittest

import fault
from fault import wait_for

from servers.postgres import Server

EVENTS = 30_000
KILLS = 4
SUMS = ["count(*)", "count(DISTINCT event_id)", "sum(number)"]
WANTED = [EVENTS, EVENTS, EVENTS * (EVENTS - 1) // 2]


class RowsTest(fault.Fault):
    def config(self, url):
        sent = self.path("in.jsonl")
        with open(sent, "w", encoding="utf-8") as out:
            for number in range(EVENTS):
                out.write(json.dumps({"specversion": "1.0", "id": f"e-{number}", "source": "/fault", "type": "t.result",
                                      "data": {"number": number, "text": "x" * (number % 90)}}) + "\n")
        rows = {"class": "metrics_sql", "inputs": ["in"], "queue": "durable",
                "config": {"url": url, "table": "results", "create_table": True, "batch_rows": 20,
                           "columns": [{"name": "number", "from": "/number", "type": "integer", "required": True}]}}
        return self.graph({"in": fault.file_source(sent, checkpoint=self.path("checkpoint"))},
                          {"out": {"class": "event_log", "inputs": ["in"], "config": {"path": self.path("log.jsonl")}}},
                          consumers={"rows": rows})

    def lives(self, config, away, back, count):
        """Everything is settled while the database is away; then the host is killed while it writes, again and again."""
        away()
        host = self.start(config, name="life-0")
        wait_for(lambda: host.stats()["sources"]["in"]["settled"]["delivered"] == EVENTS,
                 lambda: "all to be settled:\n" + host.text())
        host.kill()
        back()
        self.assertEqual(count(), 0)
        for number in range(1, KILLS):
            before = count()
            host = self.start(config, name=f"life-{number}")
            wait_for(lambda: count() > before or before == EVENTS, lambda: "some rows:\n" + host.text())
            if number % 2:
                away()
            time.sleep(self.random.random() / 10)  # the moment of the kill is random by design; nothing waits for it
            host.kill()
            back()
        print(f"{count()} of {EVENTS} rows after {KILLS} kills", flush=True)
        host = self.start(config, name="last")
        wait_for(lambda: count() >= EVENTS, lambda: f"{EVENTS} rows, there are {count()}:\n" + host.text(), 180)
        self.assertEqual(host.end(), 0, host.text())

    def test_sqlite(self):
        """rows: as many as events in SQLite, over kills with the file locked by another process and without."""
        path = self.path("rows.db")
        config = self.config("sqlite:" + path)
        database = sqlite3.connect(path, isolation_level=None, timeout=30)
        self.addCleanup(database.close)
        database.execute("PRAGMA journal_mode=WAL")

        def ask(what):
            try:
                return database.execute(f"SELECT {what} FROM results").fetchone()[0]
            except sqlite3.OperationalError:
                return 0  # the table is not there yet
        self.lives(config, lambda: database.execute("BEGIN IMMEDIATE"),
                   lambda: database.in_transaction and database.execute("ROLLBACK"), lambda: ask("count(*)"))
        self.assertEqual([ask(what) for what in SUMS], WANTED)

    def test_postgres(self):
        """rows: as many as events in PostgreSQL, over kills of the host and of the server."""
        server = Server(self.folder).start()
        self.addCleanup(lambda: server.stop())

        def back():
            if server.process.process.poll() is not None:
                server.start()

        def ask(what):
            found = server.psql(f"SELECT {what} FROM results").stdout.strip()
            return int(found) if found else 0
        self.lives(self.config(server.url), server.kill, back, lambda: ask("count(*)"))
        self.assertEqual([ask(what) for what in SUMS], WANTED)


if __name__ == "__main__":
    unittest.main(verbosity=2)
