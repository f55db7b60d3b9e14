"""Found by a Python whose path begins with this folder: its clock is off by an hour, or whatever
`FAULT_CLOCK_OFFSET_S` says. Only what asks Python for the wall clock sees it; timers do not.
"""

from __future__ import annotations

import os
import time

_OFFSET_NS = int(os.environ.get("FAULT_CLOCK_OFFSET_S", "0")) * 1_000_000_000
_time_ns = time.time_ns


def _shifted_ns() -> int:
    return _time_ns() + _OFFSET_NS


def _shifted() -> float:
    return _shifted_ns() / 1e9


if _OFFSET_NS:
    time.time_ns, time.time = _shifted_ns, _shifted
