#!/usr/bin/env python3
"""mutant_caught.py MUTANT — runs the crash tests over a host that settles before it publishes: they must find losses, from
a file and from a broker.

A crash test that such a host passes shows nothing at all."""
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
environment = {**os.environ, "SLUICE": sys.argv[1], "SLUICE_KILLS": "2"}
for script, test in (("crash_test.py", "KillTest.test_event_log"), ("crash_test.py", "KillTest.test_redis_streams"),
                     ("crash_pairs.py", "redis_streams:event_log")):
    ran = subprocess.run([sys.executable, str(HERE / script), test], capture_output=True, text=True, env=environment)
    lost = re.search(r", lost ([0-9]+)", ran.stdout)
    if ran.returncode == 0 or lost is None or int(lost.group(1)) == 0:
        sys.exit(f"{test} did not catch a host that settles too early:\n{ran.stdout}{ran.stderr}")
    print(f"{test}: caught, {lost.group(1)} events lost")
