"""Sealed payloads on their way into the record: their shape is checked, nothing is opened."""

from __future__ import annotations

from z4j_brain.store.ingest_batch import Batch, Origin, StoredSeal, TaskKey
from z4j_core.events import WireEvent
from z4j_core.seal import EnvelopeError, unpack


def add_seal(batch: Batch, origin: Origin, key: TaskKey, event: WireEvent) -> str | None:
    """Add what came sealed with an event, unless a later attempt did; say why it is refused."""
    data = event.sealed
    if data is None:
        return None
    try:
        envelope = unpack(data)
    except EnvelopeError as error:
        return f"its sealed arguments are not kept, the event is: {error}"
    known = batch.seals.get(key)
    if known is None or known.attempt <= event.attempt:
        batch.seals[key] = StoredSeal(origin, event.attempt, envelope.key_id.hex(), data)
    return None
