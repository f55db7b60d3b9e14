"""Rounds of generated plans until the time is up, with figures."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import hypothesis
import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

T = TypeVar("T")
ROUND = 200
WARM_UP = 5
"""Rounds after which memory is looked at for the first time."""


class Figures(msgspec.Struct):
    """What a run was. Sizes in KiB of resident memory."""

    seed: int
    plans: int = 0
    seconds: float = 0.0
    rss_begun: int = 0
    rss_ended: int = 0
    troubles: list[str] = []

    @property
    def growth(self) -> int:
        """How much memory grew since the warm-up."""
        return self.rss_ended - self.rss_begun


def generated(strategy: st.SearchStrategy[T], count: int, seed: int | None) -> list[T]:
    """Return generated values; without a seed always the same ones."""
    found: list[T] = []

    @settings(
        max_examples=count,
        derandomize=seed is None,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: T) -> None:
        found.append(value)

    if seed is not None:
        collect = hypothesis.seed(seed)(collect)
    collect()
    return found


async def rounds(
    strategy: st.SearchStrategy[T],
    play: Callable[[T], Awaitable[list[str]]],
    is_well: Callable[[], Awaitable[bool]],
    *,
    seed: int,
    seconds: float,
) -> Figures:
    """Play plans until the time is up; after each round the peer must be well."""
    figures, begun, number = Figures(seed), time.monotonic(), 0
    while time.monotonic() - begun < seconds and len(figures.troubles) < 10:
        made = await asyncio.to_thread(generated, strategy, ROUND, seed + number)
        for plan in made:
            figures.plans += 1
            figures.troubles += [f"{trouble} after {plan!r}" for trouble in await play(plan)]
        if not await is_well():
            figures.troubles.append(f"a good peer is not served any more after round {number}")
        number += 1
        if number == WARM_UP:
            figures.rss_begun = rss_kib()
    figures.seconds = time.monotonic() - begun
    figures.rss_ended = rss_kib()
    return figures


def rss_kib() -> int:
    """Return the resident memory of this process in KiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
