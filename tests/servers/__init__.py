"""The real servers that tests run against, one module each: `from servers.redis import Server`, with tests/ (not this
folder: its names are those of the client libraries) on the path. tests/scenarios/support.py puts it there."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenarios"))
