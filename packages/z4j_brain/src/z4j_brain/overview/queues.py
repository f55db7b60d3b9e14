"""The figures of each queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from z4j_brain.series.figures import Group, Percentiles
from z4j_brain.store.overview import MinuteCounts, OpenCount

SPARKS = 30
SPARK_US = 120_000_000
"""Two minutes a spark: thirty of them are the window of an hour."""
MAX_QUEUES = 200
Key = tuple[str, str]


class QueueFigures(msgspec.Struct, kw_only=True):
    """One queue: what waits and runs now, and what ended within the window.

    `spark` counts the ends (succeeded and failed) in steps of two minutes, the oldest first.
    """

    engine: str
    queue: str
    waiting: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    wait: Percentiles | None = None
    run: Percentiles | None = None
    spark: list[int]


def queue_figures(
    counts: Sequence[MinuteCounts],
    open_counts: Sequence[OpenCount],
    measured: Mapping[Key, Group],
    first_minute: int,
) -> list[QueueFigures]:
    """Return every queue that has anything to show, those with the most waiting tasks first."""
    found: dict[Key, QueueFigures] = {}

    def of(engine: str, queue: str) -> QueueFigures:
        key = (engine, queue)
        if key not in found:
            found[key] = QueueFigures(
                engine=engine,
                queue=queue,
                wait=measured[key].total.wait if key in measured else None,
                run=measured[key].total.run if key in measured else None,
                spark=[0] * SPARKS,
            )
        return found[key]

    for one in open_counts:
        figures = of(one.engine, one.queue)
        if one.state == "running":
            figures.running += one.count
        elif one.state in ("queued", "received"):
            figures.waiting += one.count
    for minute in counts:
        figures = of(minute.engine, minute.queue)
        figures.succeeded += minute.succeeded
        figures.failed += minute.failed
        spark = (minute.bucket - first_minute) // SPARK_US
        if 0 <= spark < SPARKS:
            figures.spark[spark] += minute.succeeded + minute.failed
    for key in measured:
        of(*key)
    ordered = sorted(found.values(), key=lambda one: (-one.waiting, one.engine, one.queue))
    return ordered[:MAX_QUEUES]
