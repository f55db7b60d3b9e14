"""The three widths of a bucket. Buckets begin at whole multiples of their width since the epoch."""

from __future__ import annotations

from typing import Literal

Resolution = Literal["minute", "hour", "day"]
RESOLUTIONS: tuple[Resolution, ...] = ("minute", "hour", "day")
WIDTH_US: dict[Resolution, int] = {
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
}
COARSER: dict[Resolution, Resolution] = {"minute": "hour", "hour": "day"}
FINER: dict[Resolution, Resolution] = {"hour": "minute", "day": "hour"}


def start_of(resolution: Resolution, at: int) -> int:
    """Return the start of the bucket that holds a time; days are those of UTC."""
    return at - at % WIDTH_US[resolution]
