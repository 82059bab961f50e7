#!/usr/bin/env python3
"""compare_ids.py SENT DELIVERED DUPLICATES_AT_MOST — are all events of one file in the other, by id?

Both hold one event per line. Exits with 0 when nothing is lost, nothing is torn, nothing is there that was never sent,
and no more than DUPLICATES_AT_MOST events are there again. Knows nothing of the host."""
import json
import sys


def ids(path):
    found, torn = [], 0
    with open(path, "rb") as lines:
        for line in lines:
            try:
                found.append(json.loads(line)["id"])
            except (ValueError, KeyError, TypeError):
                torn += 1
    return found, torn


def main():
    sent, _ = ids(sys.argv[1])
    delivered, torn = ids(sys.argv[2])
    lost, strangers = set(sent) - set(delivered), set(delivered) - set(sent)
    duplicates, allowed = len(delivered) - len(set(delivered)), int(sys.argv[3])
    print(f"sent {len(set(sent))}, delivered {len(delivered)}, lost {len(lost)}, torn {torn}, "
          f"strangers {len(strangers)}, duplicates {duplicates} of at most {allowed}")
    sys.exit(1 if lost or torn or strangers or duplicates > allowed else 0)


main()
