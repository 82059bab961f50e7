#!/usr/bin/python3
"""kill_page.py [--write] — the tables of kills on README.md, made of the rows that the runs kept (kept_rows.jsonl, by --out).

The last row of a label counts; each says at how many events a second it was run. Without --write it ends with 1 when the page
shows something else."""
import json
import pathlib
import re
import sys

import ends
import kill_table

HERE = pathlib.Path(__file__).resolve().parent
PAGE, ROWS = HERE / "README.md", HERE / "kept_rows.jsonl"
TABLES = {  # what the rows are of and what `least` is; every label, in order
    "pairs": (("pair", "least in flight at a kill"),
              [f"{source} → {backend}" for source in ends.SOURCES for backend in ends.BACKENDS]),
    "brokers": (("broker", "least waiting at a kill"), ends.BROKERS),
    "both": (("broker", "least in the spool at a kill"), ends.BROKERS),
}


def made(name, rows):
    words, labels = TABLES[name]
    kept = {row["label"]: row for row in rows if row["table"] == name}
    lines = [*kill_table.head(words), *(kill_table.line(kept[label]) for label in labels if label in kept)]
    left_out = [label for label in labels if label not in kept]
    if left_out:
        lines += ["", "Not run: " + ", ".join(left_out) + "."]
    return "\n".join(lines)


def main():
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()]
    shown = PAGE.read_text()
    page = re.sub(r"(<!-- kills: (\w+) -->\n).*?(\n<!-- end -->)",
                  lambda found: found.group(1) + made(found.group(2), rows) + found.group(3), shown, flags=re.S)
    if set(re.findall(r"<!-- kills: (\w+) -->", shown)) != set(TABLES):
        sys.exit(f"{PAGE}: a table is missing")
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page)
    elif page != shown:
        sys.exit(f"{PAGE} does not show the rows of {ROWS}: kill_page.py --write")


if __name__ == "__main__":
    main()
