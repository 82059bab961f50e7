"""What the kill tests over many servers share: the verdict on the ids, a row of the table for each, and a run of all."""
import pathlib
import re
import subprocess
import unittest

import fault

SKIPPED = 77
HEAD = "| %s | kills | sent | arrived | lost | duplicated | bound | %s |\n|---|--:|--:|--:|--:|--:|--:|--:|"


class Row(fault.Fault):
    """Tried as a test of unittest, whose folder and cleaning it uses; `run_row` calls `judge` at its end."""
    row = None

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
        figures = dict(re.findall(r"([a-z]+) (\d+)", ran.stdout))
        self.row = "| %s | %d | %s | %s | %s | %s | %d | %d |" % (
            self.label, self.kills, figures["sent"], figures["delivered"], figures["lost"], figures["duplicates"], bound, least)
        self.assertEqual(ran.returncode, 0, self.row + "\n" + ran.stdout + ran.stderr)


def arguments(ask):
    ask.add_argument("--all", action="store_true")
    ask.add_argument("--kills", type=int, default=2)
    ask.add_argument("--out", type=pathlib.Path, help="rows are added to this file as well")
    return ask.parse_args()


def run(cases, head, out, missing):
    """Prints a row per case as it is done. The exit code: 1 when one did not hold."""
    print(f"seed {fault.SEED}\n{HEAD % head}", flush=True)
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
            print(case.row, flush=True)
        if case.row and out:
            with open(out, "a", encoding="utf-8") as file:
                file.write(case.row + "\n")
    return 1 if failed else 0 if tried else SKIPPED
