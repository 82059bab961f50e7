"""What the kill tests over many servers share: the verdict on the ids, a row of the table for each, and a run of all."""
import datetime
import json
import pathlib
import re
import subprocess
import unittest

import ends
import fault

SKIPPED = 77
COLUMNS = ("label", "rate", "kills", "sent", "arrived", "lost", "duplicated", "bound", "least")


def head(words):
    """Of a table; `words`: what its rows are of, and what `least` is."""
    return ("| %s | events/s | kills | sent | arrived | lost | duplicated | bound | %s |" % words, "|---" + "|--:" * 8 + "|")


def line(row):
    return "| " + " | ".join(str(row[column]) for column in COLUMNS) + " |"


class Row(fault.Fault):
    """Tried as a test of unittest, whose folder and cleaning it uses; `run_row` calls `judge` at its end."""
    row = None
    table = None  # where its row stands on the page

    def __init__(self, label, kinds, kills):
        super().__init__("run_row")
        self.label, self.kinds, self.kills = label, kinds, kills
        self.dice = f"{fault.SEED} {label}"

    def setUp(self):
        super().setUp()
        self.random.seed(self.dice)

    def judge(self, sent, arrived, bound, least):
        """By a program that knows nothing of the host. `least`: the smallest load at a kill."""
        ran = subprocess.run([fault.support.PYTHON, str(fault.HERE / "compare_ids.py"), sent, arrived, str(bound)],
                             capture_output=True, text=True)
        figures = {name: int(figure) for name, figure in re.findall(r"([a-z]+) (\d+)", ran.stdout)}
        self.row = {"table": self.table, "label": self.label, "rate": ends.RATE, "kills": self.kills, "sent": figures["sent"],
                    "arrived": figures["delivered"], "lost": figures["lost"], "duplicated": figures["duplicates"],
                    "bound": bound, "least": least, "seed": fault.SEED, "day": datetime.date.today().isoformat()}
        self.assertEqual(ran.returncode, 0, line(self.row) + "\n" + ran.stdout + ran.stderr)


def arguments(ask):
    ask.add_argument("--all", action="store_true")
    ask.add_argument("--kills", type=int, default=2)
    ask.add_argument("--out", type=pathlib.Path, help="rows are added to this file as well, as JSON; kept_rows.jsonl makes the page")
    return ask.parse_args()


def run(cases, words, out, missing):
    """Prints a row per case as it is done. The exit code: 1 when one did not hold."""
    print(f"seed {fault.SEED}", *head(words), sep="\n", flush=True)
    failed = tried = 0
    for case in cases:
        why = missing(case.kinds)
        if why:
            print(f"{case.label}: {why}", flush=True)
            continue
        result = unittest.TestResult()
        case.run(result)
        tried += 1
        for _, text in result.failures + result.errors:
            failed += 1
            print(f"{case.label} FAILED:\n{text}", flush=True)
        if case.row:
            print(line(case.row), flush=True)
        if case.row and out:
            with open(out, "a", encoding="utf-8") as file:
                file.write(json.dumps(case.row, ensure_ascii=False) + "\n")
    return 1 if failed else 0 if tried else SKIPPED
