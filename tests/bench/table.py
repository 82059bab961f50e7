"""The result as text for the terminal and as Markdown for the README."""
import statistics

CPU_FACTOR = 1.2      # CPU of the host against its parts, where both cores are saturated
SATURATED = 0.9
MEMORY_MIB = 64
BEGIN, END = "<!-- last run: begin -->", "<!-- last run: end -->"


class Pairs:
    """The runs of one row, and what follows from them."""

    def __init__(self, row, hosts, bares, parse_cpu_us):
        self.row = row
        self.ratios = [host.rate / bare.rate for host, bare in zip(hosts, bares)]
        self.ratio = statistics.median(self.ratios)
        self.host_rate, self.bare_rate = (statistics.median(s.rate for s in side) for side in (hosts, bares))
        self.host_cpu, self.bare_cpu = (statistics.median(s.cpu_us for s in side) for side in (hosts, bares))
        self.peak_mib = max(host.peak_mib for host in hosts)
        self.busy = statistics.median(host.busy for host in hosts)
        self.cpu_limit = CPU_FACTOR * (self.bare_cpu + parse_cpu_us)

    def verdict(self):
        if self.ratio >= self.row.target:
            return "holds"
        if self.row.broker and self.busy >= SATURATED and self.host_cpu <= self.cpu_limit:
            return "holds by CPU"
        return "MISSED"

    def cells(self):
        limit = f" (limit {self.cpu_limit:.2f})" if self.row.broker else ""
        return [self.row.title, self.row.against, f"{self.host_rate:,.0f}", f"{self.bare_rate:,.0f}",
                f"{self.ratio:.2f} [{min(self.ratios):.2f}..{max(self.ratios):.2f}]", f"{self.row.target}",
                f"{self.host_cpu:.2f}{limit}", f"{self.bare_cpu:.2f}", f"{self.busy * 100:.0f} %", self.verdict()]


PAIR_HEAD = ["what", "against", "host ev/s", "bare ev/s", "ratio [min..max]", "at least", "host CPU us/ev",
             "bare CPU us/ev", "cores busy", ""]
FACT_HEAD = ["what", "target", "measured", ""]


def memory_facts(pairs):
    return [(f"memory, {p.row.title} (modules: {p.row.modules.replace(' ', ', ')})", f"under {MEMORY_MIB} MiB",
             f"{p.peak_mib:.1f} MiB", p.peak_mib < MEMORY_MIB) for p in pairs]


def fact_cells(facts):
    return [[what, target, measured, "" if not target else "holds" if holds else "MISSED"]
            for what, target, measured, holds in facts]


def aligned(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in [head, *rows])


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def write_readme(path, text):
    with open(path, encoding="utf-8") as readme:
        before, _, rest = readme.read().partition(BEGIN)
    after = rest.partition(END)[2]
    with open(path, "w", encoding="utf-8") as readme:
        readme.write(f"{before}{BEGIN}\n{text}\n{END}{after}")
