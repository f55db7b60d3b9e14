"""Finds the issue of a failed attempt while its event is prepared."""

from __future__ import annotations

import msgspec

from z4j_brain.issues.memo import Signatures
from z4j_brain.issues.signature import Failure, Signature
from z4j_brain.store.ingest_batch import Batch, Origin
from z4j_brain.store.issue_rows import HOUR_US, MAX_MESSAGE, IssueRow
from z4j_core.events import Kind, WireEvent

FAILING = frozenset({Kind.FAILED, Kind.RETRIED})
_COUNTED_US = 30 * 24 * HOUR_US
"""Failures that were received later than this after they happened count for no hour."""
_MAX_TYPE = 255
_signatures = Signatures()


class _Exception(msgspec.Struct, gc=False):
    type: str = ""
    module: str = ""
    message: str = ""


class _Payload(msgspec.Struct, gc=False):
    exception: _Exception | None = None
    traceback: str | None = None


_decode = msgspec.json.Decoder(_Payload).decode


def add_failure(batch: Batch, origin: Origin, event: WireEvent, payload: bytes) -> str | None:
    """Count a failed attempt for its issue; return the issue's id.

    None for an attempt that is tried again for another reason than an exception.
    """
    told = _told(payload)
    raised = told.exception or _Exception()
    is_final = event.kind is Kind.FAILED
    if told.exception is None and not told.traceback and not is_final:
        return None
    signature = _signatures.of(
        Failure(
            raised.type[:_MAX_TYPE],
            raised.module[:_MAX_TYPE],
            raised.message,
            told.traceback or "",
            event.name or "",
        )
    )
    # A clock that runs ahead must not make a failure look as if it came after a decision.
    seen = min(event.occurred_at, origin.received_at)
    row = _row(signature, origin, event, raised.message, seen, is_final)
    key = (origin.project_id, signature.id)
    known = batch.issues.get(key)
    if known is None:
        batch.issues[key] = row
    else:
        known.join(row)
    if seen > origin.received_at - _COUNTED_US:
        hour = (*key, seen - seen % HOUR_US)
        batch.issue_hours.setdefault(hour, [0, 0])[0 if is_final else 1] += 1
    return signature.id


def _told(payload: bytes) -> _Payload:
    try:
        return _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Payload()


def _row(
    signature: Signature, origin: Origin, event: WireEvent, message: str, seen: int, is_final: bool
) -> IssueRow:
    return IssueRow(
        exception_type=signature.type,
        title=signature.title,
        stack=signature.stack,
        created_at=origin.received_at,
        first_seen=seen,
        last_seen=seen,
        last_failed_at=seen if is_final else None,
        count=int(is_final),
        retried=int(not is_final),
        last_engine=event.engine,
        last_task_id=event.task_id,
        last_name=event.name or "",
        last_queue=event.queue or "",
        last_message=message[:MAX_MESSAGE],
    )
