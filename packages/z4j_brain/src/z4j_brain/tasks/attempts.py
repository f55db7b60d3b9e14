"""The attempts of a task, folded from its events: the one place that does so.

Within one attempt the rules are those of `z4j_core.fold`, so a task's latest attempt agrees with
its row. Events that are no longer kept are missing here, while the row still knows their outcome.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from z4j_brain.store.clocks import ODD_US
from z4j_brain.store.events import EventRecord
from z4j_brain.store.tasks import ran, starts_too_early, waited
from z4j_core.events import ENDING_KINDS, Kind, WireEvent
from z4j_core.fold import NO_DETAILS, UNKNOWN, Details, TaskRow, join, rank, row_of


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a task. Times in microseconds since the epoch, durations in microseconds.

    Times are as told. `wait_us` is corrected by the clocks of publisher and worker where both are
    known; where they are not and make no sense together, `wait_is_doubtful`.
    """

    attempt: int
    state: str
    published_at: int | None
    received_at: int | None
    started_at: int | None
    ended_at: int | None
    wait_us: int | None
    wait_is_doubtful: bool
    run_us: int | None
    worker: str | None
    exception_type: str | None
    exception_message: str | None
    traceback: str | None
    retry_at: int | None
    reason: str | None


class _Ending(msgspec.Struct):
    """What only an attempt's end tells, beyond the task's row."""

    traceback: str | None = None
    retry_at: int | None = None
    reason: str | None = None


class _Attempt:
    def __init__(self) -> None:
        self.row = TaskRow(state_rank=-1)
        self.ending = _Ending()
        self._ending_rank = -1
        self._clocks: dict[Kind, int] = {}

    def add(self, kind: Kind, event: EventRecord) -> None:
        payload = event.payload.encode()
        join(self.row, row_of(_wire(kind, event), _details(payload), event.worker))
        if event.clock_offset_us is not None:
            self._clocks[kind] = event.clock_offset_us
        its_rank = rank(event.attempt, kind)
        if kind in ENDING_KINDS and its_rank > self._ending_rank:
            self.ending, self._ending_rank = _ending(payload), its_rank

    def hear_of(self, earlier: TaskRow) -> None:
        """Take from an earlier attempt what holds for the task as a whole: how long nothing was
        heard of it.
        """
        told = TaskRow(state_rank=-1, attempt=-1, last_at=earlier.last_at)
        told.unknown_at, told.unknown_reason = earlier.unknown_at, earlier.unknown_reason
        join(self.row, told)

    def result(self) -> Attempt:
        row = self.row
        ended_at = row.state_at if row.state == "retrying" else row.ended_at
        wait_us, is_doubtful = self._wait()
        return Attempt(
            attempt=row.attempt,
            state=row.state,
            published_at=row.queued_at,
            received_at=row.received_at,
            started_at=row.started_at,
            ended_at=ended_at,
            wait_us=wait_us,
            wait_is_doubtful=is_doubtful,
            run_us=ran(row.run_us, row.started_at, ended_at),
            worker=row.worker,
            exception_type=row.exception_type,
            exception_message=row.exception_message,
            traceback=self.ending.traceback,
            retry_at=self.ending.retry_at,
            reason=row.unknown_reason if row.state == UNKNOWN else self.ending.reason,
        )

    def _wait(self) -> tuple[int | None, bool]:
        """Return the wait, and whether it is doubtful.

        The moment of publishing is of the publisher's clock, also where the worker told it.
        """
        row = self.row
        publisher, worker = self._clocks.get(Kind.PUBLISHED), self._clocks.get(Kind.STARTED)
        started_at = row.started_at
        if started_at is not None and publisher is not None and worker is not None:
            started_at -= worker - publisher
            return waited(row.queued_at, row.eta, started_at), False
        is_odd = worker is not None and abs(worker) > ODD_US
        is_early = starts_too_early(row.queued_at, row.eta, started_at)
        wait_us = waited(row.queued_at, row.eta, started_at)
        return wait_us, wait_us is not None and (is_odd or is_early)


def attempts_of(events: Iterable[EventRecord]) -> list[Attempt]:
    """Return the attempts that these events of one task tell of, the first one first."""
    found: dict[int, _Attempt] = {}
    for event in events:
        try:
            kind = Kind(event.kind)
        except ValueError:  # written by a newer version; it still stands in the list of events
            continue
        found.setdefault(event.attempt, _Attempt()).add(kind, event)
    attempts = [found[number] for number in sorted(found)]
    for earlier in attempts[:-1]:
        attempts[-1].hear_of(earlier.row)
    return [attempt.result() for attempt in attempts]


def _wire(kind: Kind, event: EventRecord) -> WireEvent:
    return WireEvent(kind, "", "", event.attempt, event.occurred_at, event.name, event.queue, b"")


def _details(payload: bytes) -> Details:
    try:
        return msgspec.json.decode(payload, type=Details)
    except (msgspec.DecodeError, RecursionError):
        return NO_DETAILS


def _ending(payload: bytes) -> _Ending:
    try:
        return msgspec.json.decode(payload, type=_Ending)
    except (msgspec.DecodeError, RecursionError):
        return _Ending()
