#!/usr/bin/python3
"""The metrics of an extraction as rows of extraction_metrics: in a SQLite file, and in a real PostgreSQL that is killed and
started again under load. A redelivered event is no second row."""

import json
import sqlite3
import subprocess

from support import ROOT, SLUICE, Process, Scenario, environment, free_port, main, wait_for

from servers.postgres import Server

CONFIG = ROOT / "config" / "examples" / "metrics_sql.yaml"
AS_IT_IS = "consumers.rows.config.create_table=false"


def extraction(kind):
    return subprocess.run([ROOT / "packaging" / "extraction-events", kind], capture_output=True, text=True, check=True).stdout


def events(first, count):
    """As an extraction sends them, with ids of their own."""
    return "".join(json.dumps({
        "specversion": "1.0", "id": "e%d" % number, "source": "/extraction", "type": "specimen.completed",
        "time": "2025-10-10T12:00:00Z", "data": {"metrics": {"success_rate": 0.5, "specimens_per_minute": number}}}) + "\n"
        for number in range(first, first + count))


class MetricsSql(Scenario):
    def run_example(self, url, stdin, *sets, code=0, envelope="cloudevents"):
        options = [word for each in sets for word in ("--set", each)]
        ran = self.run_sluice("run", CONFIG, "--set", "sources.specimens.format=" + envelope, *options, stdin=stdin,
                              EXTRACTION_DB=url, EXTRACTION_OUTPUT=self.folder / "out")
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        return ran.stdout + ran.stderr

    def sqlite(self, sql):
        database = sqlite3.connect(self.folder / "metrics.db")
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def postgres(self, **more):
        server = Server(self.folder, **more)
        self.addCleanup(server.stop)
        return server.start()

    def test_the_example_fills_the_documents_table_in_sqlite(self):
        text = self.run_example("sqlite:metrics.db", extraction("healthy"), envelope="bus_event")
        self.assertIn("extraction_metrics: 25 rows written", text)
        rows = self.sqlite("SELECT timestamp, success_rate, throughput FROM extraction_metrics ORDER BY timestamp")
        self.assertEqual((len(rows), rows[0], rows[-1][1:]), (25, ("2025-10-10T12:00:29.800Z", 1.0, 0.0), (0.92, 0.0)))
        self.assertEqual(self.sqlite("PRAGMA journal_mode"), [("wal",)])

    def test_a_redelivered_event_is_no_second_row_in_sqlite(self):
        self.run_example("sqlite:metrics.db", events(0, 1200))
        text = self.run_example("sqlite:metrics.db", events(1000, 400))
        self.assertIn("200 rows written, 200 repeated", text)
        self.assertEqual(self.sqlite("SELECT count(*), count(DISTINCT event_id), sum(throughput) FROM extraction_metrics"),
                         [(1400, 1400, sum(range(1400)))])

    def test_a_table_that_does_not_fit_is_refused_with_the_column_and_the_cure(self):
        database = sqlite3.connect(self.folder / "metrics.db")
        database.execute("CREATE TABLE extraction_metrics (timestamp TEXT, success_rate REAL, event_source TEXT, event_id TEXT)")
        database.commit()
        text = self.run_example("sqlite:metrics.db", "", AS_IT_IS, code=78)
        self.assertIn("has no column 'throughput'. Add it: ALTER TABLE \"extraction_metrics\" ADD COLUMN \"throughput\" REAL", text)
        database.execute("ALTER TABLE extraction_metrics ADD COLUMN throughput REAL")
        database.commit()
        text = self.run_example("sqlite:metrics.db", "", AS_IT_IS, code=78)
        self.assertIn("has no unique index on its key. Add it: CREATE UNIQUE INDEX", text)
        text = self.run_example("sqlite:other.db", "", AS_IT_IS, code=78)
        self.assertIn("there is no table 'extraction_metrics'. Set create_table: true", text)
        database.close()

    def test_a_locked_database_is_waited_for(self):
        self.run_example("sqlite:metrics.db", events(0, 1))
        other = sqlite3.connect(self.folder / "metrics.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        host = self.keep(Process([SLUICE, "run", CONFIG, "--set", "sources.specimens.format=cloudevents"], self.folder, "host",
                                 environment(EXTRACTION_DB="sqlite:metrics.db"), stdin=subprocess.PIPE))
        host.process.stdin.write(events(1, 10).encode())
        host.process.stdin.flush()
        host.wait_for_line("the database is away", "locked")
        other.execute("COMMIT")
        other.close()
        host.process.stdin.close()
        self.assertEqual(host.wait(), 0, host.text())
        self.assertEqual(self.sqlite("SELECT count(*) FROM extraction_metrics"), [(11,)])

    def test_the_example_in_postgres_and_redelivery(self):
        server = self.postgres()
        self.run_example(server.url, extraction("healthy"), envelope="bus_event")
        self.assertEqual(server.query("SELECT count(*), max(timestamp)::text LIKE '2025-10-10 12:%' FROM extraction_metrics"),
                         [["25", "t"]])
        self.run_example(server.url, events(0, 1200))
        text = self.run_example(server.url, events(1000, 400))
        self.assertIn("200 rows written, 200 repeated", text)
        self.assertEqual(server.query("SELECT count(*), count(DISTINCT event_id), sum(throughput) FROM extraction_metrics "
                                      "WHERE event_source = '/extraction'"), [["1400", "1400", str(sum(range(1400)))]])
        self.assertNotIn("only-for-tests", text)

    def test_a_mismatch_in_postgres_names_column_and_cure_and_one_bad_row_spares_the_others(self):
        server = self.postgres()
        server.query("CREATE TABLE extraction_metrics (timestamp TIMESTAMPTZ, success_rate REAL, event_source TEXT, event_id TEXT)")
        text = self.run_example(server.url, "", AS_IT_IS, code=78)
        self.assertIn("has no column 'throughput'. Add it: ALTER TABLE \"extraction_metrics\" ADD COLUMN \"throughput\" DOUBLE", text)
        server.query("ALTER TABLE extraction_metrics ADD COLUMN throughput INTEGER CHECK (throughput <> 7)")
        text = self.run_example(server.url, "", AS_IT_IS, code=78)
        self.assertIn("has no unique index on its key", text)
        text = self.run_example(server.url, events(0, 20))
        self.assertIn("19 rows written, 1 refused by the database", text)
        self.assertEqual(server.query("SELECT count(*) FROM extraction_metrics"), [["19"]])

    def test_postgres_is_killed_and_started_again_under_load_and_every_event_is_one_row(self):
        server = self.postgres()
        host = self.keep(Process([SLUICE, "run", CONFIG, "--set", "sources.specimens.format=cloudevents", "--set",
                                  "consumers.rows.config.batch_rows=50"], self.folder, "host",
                                 environment(EXTRACTION_DB=server.url), stdin=subprocess.PIPE))

        def send(first, count):
            host.process.stdin.write(events(first, count).encode())
            host.process.stdin.flush()

        def rows():
            ran = server.psql("SELECT count(*) FROM extraction_metrics")
            return int(ran.stdout) if ran.returncode == 0 else 0

        send(0, 1000)
        wait_for(lambda: rows() >= 100, "the first rows")
        for round in range(1, 4):
            server.kill()
            send(round * 1000, 1000)
            host.wait_for_line("the database is away", count=round)
            server.start()
            wait_for(lambda: rows() == (round + 1) * 1000, lambda: "%d rows of round %d\n%s" % (rows(), round, host.text()))
        send(3500, 1000)  # half of them again
        host.process.stdin.close()
        self.assertEqual(host.wait(), 0, host.text())
        self.assertEqual(server.query("SELECT count(*), count(DISTINCT event_id), sum(throughput) FROM extraction_metrics"),
                         [["4500", "4500", str(sum(range(4500)))]])

    def test_what_the_buffer_cannot_hold_while_the_database_is_away_is_counted(self):
        url = "postgresql://sluice@127.0.0.1:%d/postgres" % free_port()
        text = self.run_example(url, events(0, 300), "consumers.rows.config.buffer_rows=100", "consumers.rows.queue=lossy")
        self.assertIn("the database is away", text)
        self.assertIn("0 rows written, 300 lost", text)

    def test_what_a_durable_queue_kept_while_the_database_was_away_the_next_run_writes(self):
        url = "postgresql://sluice@127.0.0.1:%d/postgres" % free_port()
        text = self.run_example(url, events(0, 300), "drain_deadline=1s")
        self.assertIn("Events stay in the queue; the next run shows them", text)
        text = self.run_example("sqlite:metrics.db", events(200, 200))
        self.assertIn("400 rows written, 100 repeated", text)
        self.assertEqual(self.sqlite("SELECT count(*), count(DISTINCT event_id) FROM extraction_metrics"), [(400, 400)])


if __name__ == "__main__":
    main()
