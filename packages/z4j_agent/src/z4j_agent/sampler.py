"""What a heartbeat says of this process."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from z4j_agent.outbox import Fill
from z4j_core.frames import Heartbeat


def micros() -> int:
    """Return the wall clock: microseconds since the Unix epoch."""
    return time.time_ns() // 1000


def heartbeat(fill: Fill, echo: int = 0, echo_age_us: int = 0) -> Heartbeat:
    """Return the present state of this process and of its outbox.

    `echo` is the server's time as last heard, `echo_age_us` how long ago that was.
    """
    now = micros()
    return Heartbeat(
        now=now,
        outbox_events=fill.events,
        outbox_bytes=fill.bytes,
        oldest_us=max(0, now - fill.oldest_at) if fill.oldest_at else 0,
        dropped=fill.dropped,
        cpu_us=int(time.process_time() * 1_000_000),
        rss_bytes=rss_bytes(),
        processed=fill.processed,
        echo=echo,
        echo_age_us=echo_age_us,
    )


def rss_bytes() -> int:
    """Return the resident memory of this process; where the system does not say, its peak, or 0."""
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak_rss_bytes()


def _peak_rss_bytes() -> int:
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
