"""The state of a task as a function of the set of its events, never of their order.

Every field of a task row belongs to one slot, and each slot joins two rows by a rule that is
commutative, associative and idempotent:

* ``HEAD``: the row with the greater ``(state_rank, -state_at)`` wins; on a full tie the greater
  value of each field wins.
* ``ATTEMPT``: the row with the greater ``attempt`` wins; within one attempt the smaller known
  value of each field wins.
* ``LEAST``: the smallest known value ever seen.
* ``GREATEST``: the greatest known value ever seen.

The brain generates the database's upsert from the same table, so memory and database agree.
A rank compares ``(attempt, kind)``: a later attempt outranks everything of an earlier one, and a
cancellation outranks a success of the same attempt, because some pools report both.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from z4j_core.events import ENDING_KINDS, Kind, WireEvent

KIND_RANK: dict[Kind, int] = {kind: rank for rank, kind in enumerate(Kind, start=1)}
STATE_OF: dict[Kind, str] = {
    Kind.PUBLISHED: "queued",
    Kind.RECEIVED: "received",
    Kind.STARTED: "running",
    Kind.RETRIED: "retrying",
    Kind.REJECTED: "rejected",
    Kind.FAILED: "failed",
    Kind.SUCCEEDED: "succeeded",
    Kind.CANCELLED: "cancelled",
}
STATES = (*STATE_OF.values(), "unknown")
_RANKS_PER_ATTEMPT = 32


class Slot(Enum):
    """Which join rule a field of a task row obeys."""

    HEAD = "head"
    ATTEMPT = "attempt"
    LEAST = "least"
    GREATEST = "greatest"


class TaskRow(msgspec.Struct, gc=False):
    """The folded state of one task; None means that no event has told it yet.

    `issue` is the id of the group of failures that the brain finds this one to belong to; no event
    carries it.

    Times are microseconds since the epoch. JSON texts (`args`, `kwargs`, `result`) are redacted
    previews, stored as they came.
    """

    state: str = "queued"
    state_rank: int = 0
    state_at: int = 0
    worker: str | None = None
    result: str | None = None
    run_us: int | None = None
    exception_type: str | None = None
    exception_message: str | None = None
    issue: str | None = None
    ended_at: int | None = None
    attempt: int = 0
    queued_at: int | None = None
    received_at: int | None = None
    started_at: int | None = None
    eta: int | None = None
    first_at: int | None = None
    published_at: int | None = None
    name: str | None = None
    queue: str | None = None
    args: str | None = None
    kwargs: str | None = None
    exact: bool | None = None
    parent_id: str | None = None
    root_id: str | None = None
    group_id: str | None = None
    retried_from: str | None = None
    priority: int | None = None
    last_at: int | None = None


SLOT_OF: dict[str, Slot] = {
    **dict.fromkeys(
        (
            "state",
            "state_rank",
            "state_at",
            "worker",
            "result",
            "run_us",
            "exception_type",
            "exception_message",
            "issue",
            "ended_at",
        ),
        Slot.HEAD,
    ),
    **dict.fromkeys(("attempt", "queued_at", "received_at", "started_at", "eta"), Slot.ATTEMPT),
    **dict.fromkeys(
        (
            "first_at",
            "published_at",
            "name",
            "queue",
            "args",
            "kwargs",
            "exact",
            "parent_id",
            "root_id",
            "group_id",
            "retried_from",
            "priority",
        ),
        Slot.LEAST,
    ),
    "last_at": Slot.GREATEST,
}
_HEAD = tuple(name for name, slot in SLOT_OF.items() if slot is Slot.HEAD)
_ATTEMPT = tuple(name for name, slot in SLOT_OF.items() if slot is Slot.ATTEMPT)
_LEAST = tuple(name for name, slot in SLOT_OF.items() if slot is Slot.LEAST)


def rank(attempt: int, kind: Kind) -> int:
    """Compare events of one task: greater means later in its life."""
    return attempt * _RANKS_PER_ATTEMPT + KIND_RANK[kind]


class Details(msgspec.Struct, gc=False):
    """The keys of an event's payload that a task row is made of; other keys are ignored.

    Decode leniently: a payload whose known keys have the wrong type raises
    `msgspec.ValidationError`, and the event is then folded with `NO_DETAILS`.
    """

    args: msgspec.Raw = msgspec.Raw(b"")
    kwargs: msgspec.Raw = msgspec.Raw(b"")
    result: msgspec.Raw = msgspec.Raw(b"")
    exact: bool | None = None
    eta: int | None = None
    published_at: int | None = None
    run_us: int | None = None
    priority: int | None = None
    parent_id: str | None = None
    root_id: str | None = None
    group_id: str | None = None
    retried_from: str | None = None
    exception: ExceptionDetails | None = None


class ExceptionDetails(msgspec.Struct, gc=False):
    """Type and redacted message of what a task raised."""

    type: str = ""
    message: str = ""


NO_DETAILS = Details()


def row_of(event: WireEvent, details: Details, worker: str | None) -> TaskRow:
    """Return the row that this one event alone implies.

    `worker` is the name of the process that reported the event; it is recorded only for kinds
    that the executing worker reports, because a publisher is not the worker of the task.
    """
    kind, at = event.kind, event.occurred_at
    row = TaskRow(
        state=STATE_OF[kind],
        state_rank=rank(event.attempt, kind),
        state_at=at,
        attempt=event.attempt,
        first_at=at,
        last_at=at,
        name=event.name,
        queue=event.queue,
        eta=details.eta,
        args=_text(details.args),
        kwargs=_text(details.kwargs),
        exact=details.exact,
        parent_id=details.parent_id,
        root_id=details.root_id,
        group_id=details.group_id,
        retried_from=details.retried_from,
        priority=details.priority,
        queued_at=details.published_at,
        published_at=details.published_at,
    )
    if kind is Kind.PUBLISHED:
        row.queued_at = row.published_at = at
        return row
    row.worker = worker
    if kind is Kind.RECEIVED:
        row.received_at = at
    elif kind is Kind.STARTED:
        row.started_at = at
    elif kind in ENDING_KINDS:
        _add_ending(row, details, at, final=kind is not Kind.RETRIED)
    return row


def _add_ending(row: TaskRow, details: Details, at: int, *, final: bool) -> None:
    row.run_us = details.run_us
    row.result = _text(details.result)
    row.ended_at = at if final else None
    if details.exception is not None:
        row.exception_type = details.exception.type
        row.exception_message = details.exception.message


def _text(raw: msgspec.Raw) -> str | None:
    return bytes(raw).decode() if raw else None


def join(into: TaskRow, other: TaskRow) -> None:
    """Join `other` into `into`, in place, by the rule of each slot."""
    _join_head(into, other)
    _join_attempt(into, other)
    for name in _LEAST:
        value = getattr(other, name)
        if value is not None:
            known = getattr(into, name)
            if known is None or value < known:
                setattr(into, name, value)
    if other.last_at is not None and (into.last_at is None or other.last_at > into.last_at):
        into.last_at = other.last_at


def _join_head(into: TaskRow, other: TaskRow) -> None:
    mine, theirs = (
        (into.state_rank, -into.state_at),
        (other.state_rank, -other.state_at),
    )
    if theirs > mine:
        for name in _HEAD:
            setattr(into, name, getattr(other, name))
    elif theirs == mine:
        for name in _HEAD:
            _keep(into, name, getattr(other, name), greatest=True)


def _join_attempt(into: TaskRow, other: TaskRow) -> None:
    if other.attempt > into.attempt:
        for name in _ATTEMPT:
            setattr(into, name, getattr(other, name))
    elif other.attempt == into.attempt:
        for name in _ATTEMPT:
            _keep(into, name, getattr(other, name), greatest=False)


def _keep(into: TaskRow, name: str, value: Any, *, greatest: bool) -> None:
    known = getattr(into, name)
    if value is not None and (known is None or (value > known if greatest else value < known)):
        setattr(into, name, value)
