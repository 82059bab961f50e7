#!/usr/bin/env python3
"""The layout of every record of the ABI, and the thread mark of every function pointer, as clang sees them.

  layout.py dump INCLUDE_FOLDER                     prints them
  layout.py compare INCLUDE_FOLDER layout.v1.txt    exit 1 and a diff when they differ
  layout.py sealed museum/v1/layout.txt layout.v1.txt
                                                    exit 1 unless the second only appends to the first
  layout.py marks INCLUDE_FOLDER                    exit 1 when a function pointer has no thread mark

The layout of v1 is sealed: museum/v1/layout.txt is what it was that day. A change is one deliberate commit of
  tests/abi/layout.py dump plugin_api/include > tests/abi/layout.v1.txt
and may only append: fields to a record that is not frozen, new records, new constants.
"""

import difflib
import glob
import json
import os
import re
import shutil
import subprocess
import sys

MARKS = {"control", "inline", "lane", "any"}
# Nested by value, or stepped over without a stride: never longer than they were.
FROZEN = {"sluice_str", "sluice_slice", "sluice_attribute", "sluice_event", "sluice_cell"}


def clang():
    for name in ("clang", "clang-19", "clang-17", "clang-16", "clang-15", "clang-14"):
        if shutil.which(name):
            return name
    sys.exit("clang is not installed: the layout is read by it")


def all_headers(include):
    headers = sorted(glob.glob(os.path.join(include, "sluice", "*.h")) + glob.glob(os.path.join(include, "sluice", "ext", "*.h")))
    if not headers:
        sys.exit(f"no headers in {include}")
    return "".join(f'#include "{os.path.abspath(h)}"\n' for h in headers)


def dump(include):
    source = all_headers(include)
    text = subprocess.run(
        [clang(), "-std=c11", "-fsyntax-only", "-Xclang", "-fdump-record-layouts-complete", "-x", "c", "-"],
        input=source, capture_output=True, text=True, check=True).stdout
    records = {}
    for block in text.split("*** Dumping AST Record Layout")[1:]:
        lines = [line.rstrip() for line in block.strip("\n").splitlines() if "|" in line]
        head = re.match(r"\s*0 \| (?:struct|union) (sluice_\w+)", lines[0])
        if head is None:
            continue
        kept = []
        for line in lines:
            offset, _, rest = line.partition("|")
            if rest.strip().startswith("["):
                kept.append(rest.strip())
            else:
                kept.append(f"{offset.strip():>4} |{rest}")
        records[head.group(1)] = "\n".join(kept)
    constants = enum_constants(source)
    parts = [records[name] for name in sorted(records)]
    return "\n\n".join(parts) + "\n\nconstants\n" + "\n".join(f"{n} = {v}" for n, v in constants) + "\n"


def syntax_tree(source, *flags):
    text = subprocess.run([clang(), "-std=c11", "-fsyntax-only", "-Xclang", "-ast-dump=json", *flags, "-x", "c", "-"],
                          input=source, capture_output=True, text=True, check=True).stdout
    return json.loads(text)


def walk(node):
    yield node
    for child in node.get("inner", ()):
        if child:
            yield from walk(child)


def enum_constants(source):
    found = []
    for node in walk(syntax_tree(source)):
        if node.get("kind") == "EnumConstantDecl" and node["name"].startswith("SLUICE_"):
            value = next((n["value"] for n in walk(node) if n.get("kind") == "ConstantExpr"), None)
            if value is None:
                sys.exit(f"{node['name']} has no number of its own: every constant of the ABI says its number")
            found.append((node["name"], value))
    return found


def marks(include):
    """Every function pointer in a record carries exactly one annotation out of MARKS."""
    source = all_headers(include)
    annotated = subprocess.run([clang(), "-std=c11", "-fsyntax-only", "-DSLUICE_READ_MARKS", "-Xclang", "-ast-dump",
                                "-fno-color-diagnostics", "-x", "c", "-"],
                               input=source, capture_output=True, text=True, check=True).stdout
    record, field, depth = None, None, 0
    seen, wrong = 0, []
    current = []

    def close():
        if field is not None and (len(current) != 1 or current[0] not in MARKS):
            wrong.append(f"{record}.{field}: {', '.join(current) or 'no thread mark'}")

    for line in annotated.splitlines():
        level = len(line) - len(line.lstrip(" |`-"))
        named = re.search(r"RecordDecl .* (?:struct|union) (sluice_\w+) definition", line)
        if named:
            close()
            record, field = named.group(1), None
        member = re.search(r"FieldDecl .* (\w+) '([^']*)'", line)
        if member:
            close()
            field = None
            if "(*)" in member.group(2):
                field, depth, current = member.group(1), level, []
                seen += 1
        elif field is not None and level <= depth:
            close()
            field = None
        mark = re.search(r'AnnotateAttr .* "(\w+)"', line)
        if mark and field is not None:
            current.append(mark.group(1))
    close()
    return seen, wrong


def parts(text):
    """{record: its lines}, {constant: value} of a dump."""
    records, constants = {}, {}
    for block in text.strip("\n").split("\n\n"):
        lines = block.splitlines()
        if lines[0] == "constants":
            constants = dict(line.split(" = ") for line in lines[1:])
        else:
            records[re.search(r"(sluice_\w+)", lines[0]).group(1)] = lines
    return records, constants


def broken_promises(sealed, now):
    """What the newer dump takes back of the sealed one, a line for each."""
    (old_records, old_constants), (records, constants) = parts(sealed), parts(now)
    found = []
    for name, lines in old_records.items():
        newer = records.get(name)
        if newer is None:
            found.append(f"{name} is gone")
        elif name in FROZEN and newer != lines:
            found.append(f"{name} is frozen and has changed")
        elif newer[:len(lines) - 1] != lines[:-1]:  # the last line is the size
            kept = next(i for i, (a, b) in enumerate(zip(lines, newer + [""] * len(lines))) if a != b)
            found.append(f"{name}: '{lines[kept].strip()}' was sealed; fields are appended, never moved or changed")
    for name, value in old_constants.items():
        if constants.get(name) != value:
            found.append(f"{name} was {value} and is now {constants.get(name, 'gone')}")
    return found


def main():
    if sys.argv[1] == "sealed":
        texts = []
        for path in sys.argv[2:4]:
            with open(path, encoding="utf-8") as file:
                texts.append(file.read())
        found = broken_promises(*texts)
        print("\n".join(found) if found else "the layout only appends to the sealed one")
        return 1 if found else 0
    command, include = sys.argv[1], sys.argv[2]
    if command == "dump":
        sys.stdout.write(dump(include))
        return 0
    if command == "compare":
        with open(sys.argv[3], encoding="utf-8") as file:
            committed = file.read()
        diff = list(difflib.unified_diff(committed.splitlines(), dump(include).splitlines(), sys.argv[3], "headers", lineterm=""))
        print("\n".join(diff) if diff else "the layout is the committed one")
        return 1 if diff else 0
    if command == "marks":
        seen, wrong = marks(include)
        print("\n".join(wrong) if wrong else f"{seen} function pointers, each with its thread mark")
        return 1 if wrong or seen < 30 else 0
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
