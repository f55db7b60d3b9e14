"""The Redis whose schedules this process reads: its worker's, or the first that it used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from z4j_core.capability import ActionError
from z4j_core.plugins import Host, Scheduler, store_id
from z4j_rq import capture
from z4j_rq.actions.reach import opened
from z4j_rq.process import Known


class RedisScheduler(Scheduler):
    """What the schedulers of RQ have in common: their schedules stand in RQ's Redis."""

    engine = "rq"

    def attach(self, host: Host) -> None:
        """Nothing is captured: what a schedule publishes is told by the engine."""

    def detach(self) -> None:
        """Nothing was attached."""

    def store(self) -> str | None:
        """Return the name of this Redis's store; None as long as this process has used no RQ."""
        known = _known()
        return None if known is None else store_id(self.name, known.identity)

    @contextmanager
    def client(self) -> Iterator[tuple[Any, Known]]:
        """Open a client of our own for that Redis."""
        known = _home()
        with opened(known) as client:
            yield client, known


def _known() -> Known | None:
    watching = capture.current()
    return None if watching is None else next(iter(watching.process.known.values()), None)


def _home() -> Known:
    known = _known()
    if known is None:
        raise ActionError("This process has not used RQ yet: it knows no Redis of it.")
    return known
