"""The machine under measurement: cores, CPU time and memory of processes. Linux only."""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Iterable
from pathlib import Path

ALL_CORES = sorted(os.sched_getaffinity(0))
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CLIENT, SERVER = 0, 1
"""Which core is for whoever asks, and which for everything that is measured."""


def pin(role: int) -> None:
    """Choose the core of this process, and of what it starts from now on."""
    os.sched_setaffinity(0, {ALL_CORES[role % len(ALL_CORES)]})


def cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU time of these processes so far, user and system."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_S


def resident_mib(pid: int) -> float:
    """Return the memory that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def allow_files(count: int) -> int:
    """Let this process and what it starts open `count` files, if it may; return how many it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = count if most == resource.RLIM_INFINITY else min(count, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return allowed


def description() -> str:
    """Say what machine this is and how busy it has been for a minute."""
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{len(ALL_CORES)} cores of {cpu}, {memory:.0f} GiB, Python {sys.version.split()[0]},"
        f" load {os.getloadavg()[0]:.1f}"
    )
