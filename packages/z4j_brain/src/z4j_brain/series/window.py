"""Which buckets answer for a span of time."""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec
from sqlalchemy import Connection

from z4j_brain.store.resolutions import COARSER, RESOLUTIONS, WIDTH_US, Resolution, start_of
from z4j_brain.store.rollup_horizons import horizon
from z4j_brain.store.types import to_datetime

Choice = Literal["auto", "minute", "hour", "day"]
MAX_POINTS = 1_000
_HOUR_US = WIDTH_US["hour"]
_AUTO_US: dict[Resolution, int] = {"minute": 6 * _HOUR_US, "hour": 15 * 24 * _HOUR_US}
"""The longest span that `auto` answers with this resolution."""
_LATEST = 1 << 52


class SeriesRefused(ValueError):
    """A span that cannot be answered; `parameter` is the one to change, the text says how."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(detail)
        self.parameter = parameter


class Window(msgspec.Struct, frozen=True):
    """Whole buckets from `since` to before `until`, in microseconds."""

    resolution: Resolution
    since: int
    until: int

    @property
    def width(self) -> int:
        """The width of a bucket in microseconds."""
        return WIDTH_US[self.resolution]

    @property
    def buckets(self) -> range:
        """The starts of all buckets."""
        return range(self.since, self.until, self.width)


def choose_window(
    connection: Connection, project_id: uuid.UUID, choice: Choice, since: int, until: int
) -> Window:
    """Return the buckets that hold the span. Raises `SeriesRefused`."""
    if until >= _LATEST:
        raise SeriesRefused("to", "The end lies too far ahead.")
    if not 0 <= since < until:
        raise SeriesRefused("from", "The beginning must lie before the end, and after 1969.")
    kept_since = {one: horizon(connection, project_id, one) for one in COARSER}
    if choice == "auto":
        window = _finest(since, until, kept_since)
    else:
        window = _of(choice, since, until)
        if window.since < kept_since.get(choice, 0):
            kept = to_datetime(kept_since[choice])
            raise SeriesRefused(
                "resolution",
                f"Figures by the {choice} are kept since {kept:%Y-%m-%dT%H:%M}Z."
                f" Ask by the {COARSER[choice]}, or begin later.",
            )
    if len(window.buckets) > MAX_POINTS:
        raise SeriesRefused(
            "from",
            f"This span has {len(window.buckets):,} buckets of a {window.resolution}; the most is"
            f" {MAX_POINTS:,}. Choose a shorter span or a coarser resolution.",
        )
    return window


def _finest(since: int, until: int, kept_since: dict[Resolution, int]) -> Window:
    for resolution in RESOLUTIONS:
        window = _of(resolution, since, until)
        is_kept = window.since >= kept_since.get(resolution, 0)
        if is_kept and until - since <= _AUTO_US.get(resolution, _LATEST):
            return window
    raise AssertionError("a day answers for any span")


def _of(resolution: Resolution, since: int, until: int) -> Window:
    width = WIDTH_US[resolution]
    return Window(resolution, start_of(resolution, since), start_of(resolution, until - 1) + width)
