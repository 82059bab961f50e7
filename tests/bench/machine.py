"""The machine in one line, for the README: what ran where."""
import os
import platform
import subprocess


def first(path, key):
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith(key):
                return line.split(":", 1)[-1].split("=", 1)[-1].strip().strip('"')
    return "unknown"


def version(*command):
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return (answer.stdout + answer.stderr).strip().split("\n")[0]


def describe():
    memory_gib = int(first("/proc/meminfo", "MemTotal").split()[0]) / 1024 / 1024
    return (f"{os.cpu_count()} × {first('/proc/cpuinfo', 'model name')}, {memory_gib:.0f} GiB, "
            f"{first('/etc/os-release', 'PRETTY_NAME')}, Linux {platform.release()}; {version('g++', '--version')}; "
            f"{version('redis-server', '--version').split(' sha')[0]}; {version('nginx', '-v')}")


def load():
    return f"load {os.getloadavg()[0]:.1f} over the last minute"
