"""Runs one process and says what it cost: wall time, its own CPU time, its largest resident memory."""
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass, field

SAMPLE_SECONDS = 0.02
RUN_SECONDS = 900


@dataclass
class Cost:
    seconds: float
    cpu: float
    peak_mib: float
    machine_busy: float  # 0..1: how busy all cores were, whoever kept them so
    output: str
    began: float  # by the wall clock
    result: dict = field(default_factory=dict)  # the words of a RESULT line


def machine_times():
    with open("/proc/stat", encoding="ascii") as stat:
        numbers = [int(word) for word in stat.readline().split()[1:]]
    idle = numbers[3] + numbers[4]
    return sum(numbers[:8]), idle


def status_mib(pid, key):
    """A line of /proc/PID/status in MiB; 0 once the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            found = re.search(rf"^{key}:\s+(\d+) kB", status.read(), re.MULTILINE)
        return int(found.group(1)) / 1024 if found else 0.0
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def run(command, environment=None):
    """The kernel's own high-water mark is sampled: rusage would count this script's memory too, before its exec."""
    peak, ended = [0.0], threading.Event()

    def watch(pid):
        while not ended.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], status_mib(pid, "VmHWM"))

    all_before, idle_before = machine_times()
    begin, began = time.monotonic(), time.time()
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    watcher = threading.Thread(target=watch, args=(process.pid,))
    watcher.start()
    killer = threading.Timer(RUN_SECONDS, process.kill)
    killer.start()
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    killer.cancel()
    process.stdout.close()
    all_after, idle_after = machine_times()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: ended with {process.returncode}\n{output}")
    busy = 1 - (idle_after - idle_before) / max(1, all_after - all_before)
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak[0], busy, output, began, result_of(output))


def results_of(output):
    return [{key: float(value) for key, value in (word.split("=") for word in line.split()[1:])}
            for line in output.splitlines() if line.startswith("RESULT ")]


def result_of(output):
    found = results_of(output)
    return found[-1] if found else {}
