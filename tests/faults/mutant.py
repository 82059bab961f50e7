#!/usr/bin/env python3
"""mutant.py HOST_DIR OUT — writes a copy of the ledger that settles every event as soon as it is routed, before any backend
has it. The crash test must fail over a host built with it. Fails when its place is gone, so it stays true."""
import sys

FILE = "core/ledger.cc"
OLD = "  if (event.owed > 0 && !early) return;\n"
NEW = "  (void)early;\n"

host, out = sys.argv[1:]
text = open(f"{host}/{FILE}", encoding="utf-8").read()
if text.count(OLD) != 1:
    sys.exit(f"the mutant's place is there {text.count(OLD)} times in {FILE}, not once; mend tests/faults/mutant.py")
open(out, "w", encoding="utf-8").write(text.replace(OLD, NEW))
