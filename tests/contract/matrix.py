"""The matrix of what every run found: a row for each class and role, a column for each case, the reasons below it."""

import json

import cases


def table(results):
    """Markdown lines of {class: {role: {case: {state, note}}}}."""
    names = [case.__name__ for case in cases.ALL]
    reasons = []
    rows = ["| class | role | " + " | ".join(name.replace("_", " ") for name in names) + " |", "|" + "---|" * (len(names) + 2)]
    for name, roles in sorted(results.items()):
        for role, found in roles.items():
            cells = []
            for case in names:
                entry = found.get(case, {"state": "not run", "note": ""})
                if entry["state"] == "n.a.":
                    if entry["note"] not in reasons:
                        reasons.append(entry["note"])
                    cells.append("– %d" % (reasons.index(entry["note"]) + 1))
                else:
                    cells.append(entry["state"])
            rows.append("| %s | %s | %s |" % (name, role, " | ".join(cells)))
    return rows + [""] + ["%d. %s" % (number + 1, text) for number, text in enumerate(reasons)]


def show(folder, page):
    """Prints it. 1 when a cell failed or the page does not show this."""
    results = {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}
    lines = table(results)
    print("\n".join(lines), flush=True)
    failed = [(name, role, case) for name, roles in results.items() for role, found in roles.items()
              for case, entry in found.items() if entry["state"] == "FAILED"]
    shown = page.read_text().splitlines()
    # A page that says itself that something was not run yet is not held against the runs.
    is_whole = not any("not run" in line for line in shown if line.startswith("|"))
    missing = [line for line in lines if is_whole and line and line not in shown]
    if missing and not failed:
        print("\n%s does not show this table (copy it there):\n%s" % (page, "\n".join(missing)), flush=True)
    return 1 if failed or missing else 0
