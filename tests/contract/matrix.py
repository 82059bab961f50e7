"""The matrix of what every run found: a row for each class and role, a column for each case, the reasons below it."""

import json
import re

import cases

NAMES = [case.__name__ for case in cases.ALL]
HEAD = "| class | role | " + " | ".join(name.replace("_", " ") for name in NAMES) + " |"


def table(results):
    """Markdown lines of {class: {role: {case: {state, note}}}}."""
    reasons = []
    rows = [HEAD, "|" + "---|" * (len(NAMES) + 2)]
    for name, roles in sorted(results.items()):
        for role, found in roles.items():
            cells = []
            for entry in (found[case] for case in NAMES):
                if entry["state"] == "n.a.":
                    if entry["note"] not in reasons:
                        reasons.append(entry["note"])
                    cells.append("– %d" % (reasons.index(entry["note"]) + 1))
                else:
                    cells.append(entry["state"])
            rows.append("| %s | %s | %s |" % (name, role, " | ".join(cells)))
    return rows + [""] + ["%d. %s" % (number + 1, text) for number, text in enumerate(reasons)]


def cells_of(lines):
    """{(class, role): its cells}, with each number replaced by the reason that it stands for: where a class could not be
    run here, the numbers are others."""
    reasons = dict(re.findall(r"^(\d+)\. (.*)$", "\n".join(lines), re.M))
    found = {}
    if HEAD in lines:
        for line in lines[lines.index(HEAD) + 2:]:
            if not line.startswith("|"):
                break
            name, role, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[name, role] = [re.sub(r"^– (\d+)$", lambda cell: "– " + reasons.get(cell.group(1), "?"), cell) for cell in cells]
    return found


def differences(found, shown, roles):
    """Lines about what the page does not show as the runs found it. `roles`: every class that there is, and its roles."""
    every = {(name, role) for name, each in roles.items() for role in each}
    for row in sorted(every - shown.keys()):
        yield "%s as %s is not on the page" % row
    for row in sorted(shown.keys() - every):
        yield "%s as %s is on the page, but not in classes/" % row
    for row in sorted(every & shown.keys() & found.keys()):
        for case, one, other in zip(NAMES, shown[row], found[row]):
            if one != other:
                yield "%s as %s, %s: the page says %r, the run %r" % (*row, case, one, other)
    for row in sorted((every & shown.keys()) - found.keys()):
        if any(cell != "ok" and not cell.startswith("– ") for cell in shown[row]):
            yield "%s as %s: the page shows cells that are neither ok nor explained" % row


def show(folder, page, roles):
    """Prints it. 1 when a cell failed or the page does not show this."""
    results = {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json")) if file.stem in roles}
    lines = table(results)
    print("\n".join(lines), flush=True)
    for name in sorted(roles.keys() - results.keys()):
        print("%s was not run here" % name, flush=True)
    failed = [(name, role, case) for name, each in results.items() for role, found in each.items()
              for case, entry in found.items() if entry["state"] == "FAILED"]
    wrong = list(differences(cells_of(lines), cells_of(page.read_text().splitlines()), roles)) if not failed else []
    if wrong:
        print("\n%s does not show this table (copy it there):\n%s" % (page, "\n".join(wrong)), flush=True)
    return 1 if failed or wrong else 0
