"""What to do when the database refuses a batch: find the poison event, store all the rest.

Frames are halved until a single one stands alone, then its events; each step is a transaction of
its own, so a frame's content and its worker's position still change together.
"""

from __future__ import annotations

import logging

from z4j_brain.ingest.arrival import Arrival
from z4j_brain.ingest.preparing import CleanerOf, add_frame, built_in, prepare, reject
from z4j_brain.ingest.transaction import Committed, Transactions, is_refusal
from z4j_brain.store.ingest_batch import Batch
from z4j_core.events import WireEvent

log = logging.getLogger("z4j.ingest")


def salvage(
    transactions: Transactions, arrivals: list[Arrival], cleaner_of: CleanerOf = built_in
) -> Committed:
    """Store frames of which the database refused something. Raise failures and stale positions."""
    if len(arrivals) == 1:
        return _store_frame(transactions, arrivals[0], cleaner_of)
    middle = len(arrivals) // 2
    committed = Committed()
    for half in (arrivals[:middle], arrivals[middle:]):
        try:
            stored = transactions.commit(prepare(half, cleaner_of))
        except Exception as error:
            if not is_refusal(error):
                raise
            stored = salvage(transactions, half, cleaner_of)
        committed.offsets |= stored.offsets
        committed.events += stored.events
        committed.rejected += stored.rejected
        for project_id, rows in stored.commands.items():
            committed.commands.setdefault(project_id, []).extend(rows)
    return committed


def _store_frame(transactions: Transactions, arrived: Arrival, cleaner_of: CleanerOf) -> Committed:
    refused = _find_refused(transactions, arrived, list(enumerate(arrived.events)), cleaner_of)
    good = [event for index, event in enumerate(arrived.events) if index not in refused]
    batch = Batch()
    add_frame(batch, arrived, good, cleaner_of)
    for reason in refused.values():
        reject(batch, arrived.origin, reason, cleaner_of(arrived.origin.project_id))
    log.warning("the database refused %d event(s); they are recorded as rejected", len(refused))
    try:
        return transactions.commit(batch)
    except Exception as error:
        if not is_refusal(error):
            raise
        return transactions.commit(_only_the_position(arrived, error))


def _only_the_position(arrived: Arrival, error: Exception) -> Batch:
    """Give up the frame's content, so that it does not block its worker for ever."""
    log.error("the database refused a whole frame: %s", _reason(error))
    batch = Batch()
    bare = Arrival(
        source=arrived.source,
        origin=arrived.origin,
        worker_id=arrived.worker_id,
        seq=arrived.seq,
        size=0,
    )
    add_frame(batch, bare, ())
    reject(batch, arrived.origin, f"the whole frame: {_reason(error)}")
    return batch


def _find_refused(
    transactions: Transactions,
    arrived: Arrival,
    events: list[tuple[int, WireEvent]],
    cleaner_of: CleanerOf,
) -> dict[int, str]:
    """Return the index of each refused event with the reason."""
    if not events:
        return {}
    batch = Batch()
    add_frame(batch, arrived, [event for _, event in events], cleaner_of)
    try:
        transactions.rehearse(batch)
    except Exception as error:
        if not is_refusal(error):
            raise
        if len(events) == 1:
            return {events[0][0]: _reason(error)}
    else:
        return {}
    middle = len(events) // 2
    return _find_refused(transactions, arrived, events[:middle], cleaner_of) | _find_refused(
        transactions, arrived, events[middle:], cleaner_of
    )


def _reason(error: BaseException) -> str:
    """Say why without the values: PostgreSQL quotes them in the detail and context lines only."""
    cause = getattr(error, "orig", None) or error
    message = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return f"the database refused it: {message}"
