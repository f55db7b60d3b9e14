"""Turn arrived frames into the content of one transaction, in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from uuid import UUID

from z4j_brain.ingest.arrival import Arrival
from z4j_brain.ingest.cleaning import (
    Unstorable,
    clean_event,
    clean_payload,
    clean_result,
    clean_text,
    details_of,
    without_nul,
)
from z4j_brain.ingest.failures import FAILING, add_failure
from z4j_brain.ingest.sealing import add_seal
from z4j_brain.redaction.cleaner import BUILT_IN, Cleaner
from z4j_brain.store.ingest_batch import (
    COUNTED_KINDS,
    MINUTE_US,
    Batch,
    Mark,
    Origin,
    RejectedEvent,
    StoredEvent,
    StoredGap,
    StoredResult,
)
from z4j_core.events import Kind, WireEvent
from z4j_core.fold import join, row_of
from z4j_core.frames import Gap, Result

log = logging.getLogger("z4j.ingest")

_MAX_REASON = 1_000
_COUNTED_AT: dict[Kind, int] = {kind: index for index, kind in enumerate(COUNTED_KINDS)}
_MAX_COUNT = (1 << 62) - 1


CleanerOf = Callable[[UUID], Cleaner]
"""The redactors of a project, by its id."""


def built_in(_project_id: UUID) -> Cleaner:
    """Redact by the built-in rules only."""
    return BUILT_IN


def prepare(arrivals: Iterable[Arrival], cleaner_of: CleanerOf = built_in) -> Batch:
    """Return the content of these frames. Each worker's frames must follow one another."""
    batch = Batch()
    for arrived in arrivals:
        add_frame(batch, arrived, arrived.events, cleaner_of)
    return batch


def add_frame(
    batch: Batch,
    arrived: Arrival,
    events: Iterable[WireEvent],
    cleaner_of: CleanerOf = built_in,
) -> None:
    """Add one frame to a batch, of its events only the given ones."""
    origin = arrived.origin
    cleaner = cleaner_of(origin.project_id)
    batch.projects.add(origin.project_id)
    _advance_mark(batch, arrived)
    for reason in arrived.undecodable:
        reject(batch, origin, reason, cleaner)
    for event in events:
        try:
            _add_event(batch, origin, arrived.worker_id, event, cleaner)
        except Unstorable as error:
            reject(batch, origin, str(error), cleaner)
        except Exception:  # noqa: BLE001 - one event must never hold up the others
            log.exception("an event could not be prepared; it is recorded as rejected")
            reject(batch, origin, "the server failed to read the event; see its log")
    if arrived.result is not None:
        batch.results.append(_stored_result(origin, arrived.result, cleaner))
    if arrived.gap is not None:
        batch.gaps.append(_stored_gap(origin, arrived.gap, cleaner))


def reject(batch: Batch, origin: Origin, reason: str, cleaner: Cleaner = BUILT_IN) -> None:
    """Record an event that cannot be stored. Decoders and databases quote what they refuse."""
    batch.rejected.append(RejectedEvent(origin, clean_text(reason, cleaner)[:_MAX_REASON]))


def _advance_mark(batch: Batch, arrived: Arrival) -> None:
    row: UUID = arrived.origin.worker_row
    mark = batch.marks.get(row)
    if mark is None:
        batch.marks[row] = mark = Mark(arrived.seq - 1, arrived.seq, None)
    mark.position = arrived.seq
    if arrived.events:
        mark.last_event_at = arrived.origin.received_at


def _add_event(
    batch: Batch, origin: Origin, worker_id: str, event: WireEvent, cleaner: Cleaner
) -> None:
    payload = clean_payload(event.payload, cleaner)
    event = clean_event(event)
    row = row_of(event, details_of(payload), worker_id)
    if event.kind in FAILING:
        row.issue = add_failure(batch, origin, event, payload)
    key = (origin.project_id, event.engine, event.task_id)
    known = batch.tasks.get(key)
    if known is None:
        batch.tasks[key] = row
    else:
        join(known, row)
    _count(batch, origin, event)
    batch.events.append(StoredEvent(origin, event, payload))
    if event.sealed is not None:
        reason = add_seal(batch, origin, key, event)
        if reason is not None:
            reject(batch, origin, reason)


def _count(batch: Batch, origin: Origin, event: WireEvent) -> None:
    index = _COUNTED_AT.get(event.kind)
    if index is None:
        return
    bucket = event.occurred_at - event.occurred_at % MINUTE_US
    key = (origin.project_id, bucket, event.engine, event.queue or "", event.name or "")
    counts = batch.rollups.get(key)
    if counts is None:
        counts = batch.rollups[key] = [0] * len(COUNTED_KINDS)
    counts[index] += 1


def _stored_result(origin: Origin, result: Result, cleaner: Cleaner) -> StoredResult:
    return StoredResult(
        origin=origin,
        command_id=without_nul(result.id),
        ok=result.ok,
        result=clean_result(result.result, cleaner),
        error=None if result.error is None else clean_text(result.error, cleaner),
    )


def _stored_gap(origin: Origin, gap: Gap, cleaner: Cleaner) -> StoredGap:
    return StoredGap(
        origin=origin,
        count=min(gap.count, _MAX_COUNT),
        kinds={
            clean_text(kind, cleaner): min(max(count, 0), _MAX_COUNT)
            for kind, count in list(gap.kinds.items())[:32]
        },
        since=gap.since,
        until=gap.until,
        reason=clean_text(gap.reason, cleaner),
    )
