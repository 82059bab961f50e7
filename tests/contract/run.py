#!/usr/bin/python3
"""The contract of every backend and every source, held against real servers: run.py CLASS [--only CASE] [--role ROLE]
[--seed N] [--keep]; run.py --matrix FOLDER prints what the runs of all classes wrote.

Each run prints a line per case and leaves FOLDER/CLASS.json behind (FOLDER: contract/ of the build folder)."""

import argparse
import importlib.util
import json
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import cases  # noqa: E402
import matrix  # noqa: E402
import support  # noqa: E402  (trial.py put its folder on the path)
from trial import Trial  # noqa: E402

SEED = 20261120


def reason(far, role, case):
    """Why the case does not apply; None when it does."""
    if case == "modes" and not far.modes[role]:
        return "it has structured mode only"
    return far.reasons.get("%s.%s" % (role, case)) or far.reasons.get(case)


def run_case(far, role, case, folder, seed):
    """(state, note)"""
    why = reason(far, role, case.__name__)
    if why:
        return "n.a.", why
    trial = Trial(far, role, case.__name__, folder / ("%s-%s" % (role, case.__name__)), seed)
    try:
        case(trial)
        return "ok", "; ".join(trial.notes)
    except Exception:
        return "FAILED", traceback.format_exc(limit=-4)
    finally:
        trial.close()


def load(name):
    """The class's file, under a name that no client library has."""
    spec = importlib.util.spec_from_file_location("contract_" + name, HERE / "classes" / (name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_class(name, options):
    module = load(name)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-contract-%s-" % name))
    far = module.Class(folder)
    far.name = name
    results, failed = {}, 0
    why = far.unavailable()
    if why:
        print("contract.%s: skipped: %s" % (name, why), flush=True)
        return 77
    try:
        far.start()
        for role in far.roles:
            for case in cases.ALL:
                if options.role not in (None, role) or options.only not in (None, case.__name__):
                    continue
                began = time.monotonic()
                state, note = run_case(far, role, case, folder, options.seed)
                failed += state == "FAILED"
                results.setdefault(role, {})[case.__name__] = {"state": state, "note": note}
                print("%-14s %-8s %-16s %-7s %5.1f s  %s" % (name, role, case.__name__, state, time.monotonic() - began, note),
                      flush=True)
    finally:
        far.stop()
        if options.keep or failed:
            print("kept: %s" % folder, flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if options.role is None and options.only is None:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / (name + ".json")).write_text(json.dumps(results, indent=1, ensure_ascii=False))
    print("contract.%s: %d failed (seed %d)" % (name, failed, options.seed), flush=True)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--only")
    parser.add_argument("--role", choices=("backend", "source"))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--keep", action="store_true", help="do not remove the folder")
    parser.add_argument("--results", type=pathlib.Path, default=support.BUILD / "contract")
    parser.add_argument("--matrix", action="store_true")
    options = parser.parse_args()
    if options.matrix:
        roles = {file.stem: load(file.stem).Class.roles for file in (HERE / "classes").glob("*.py")}
        return matrix.show(options.results, HERE / "README.md", roles)
    return run_class(options.name, options)


if __name__ == "__main__":
    sys.exit(main())
