"""The state of a task as a function of the set of its events, never of their order.

Every field of a task row belongs to one slot, and each slot joins two rows by a rule that is
commutative, associative and idempotent:

* ``HEAD``: the row with the greater ``(state_rank, -state_at)`` wins; on a full tie the greater
  value of each field wins.
* ``ATTEMPT``: the row with the greater ``attempt`` wins; within one attempt the smaller known
  value of each field wins.
* ``LEAST``: the smallest known value ever seen.
* ``GREATEST``: the greatest known value ever seen.
* ``DOUBT``: the row with the greater ``unknown_at`` wins; on a tie the greater value.
* ``STATE``: follows from the joined row. It is ``unknown`` if the task has not ended and no fact
  is later than ``unknown_at``; otherwise it is what ``state_rank`` stands for.

The brain generates the database's upsert from the same table, so memory and database agree.
A rank compares ``(attempt, kind)``: a later attempt outranks everything of an earlier one, and a
cancellation outranks a success of the same attempt, because some pools report both. An event of
the kind ``unknown`` ranks below every fact of its attempt: it says since when nothing is known, and
any fact of a later moment, or any end at all, takes the doubt away again, in whatever order they
arrive.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from z4j_core.events import ENDING_KINDS, Kind, WireEvent

_PUBLISHED, _RECEIVED, _STARTED = Kind.PUBLISHED, Kind.RECEIVED, Kind.STARTED
_RETRIED, _UNKNOWN = Kind.RETRIED, Kind.UNKNOWN
_FACTS = tuple(kind for kind in Kind if kind is not Kind.UNKNOWN)
KIND_RANK: dict[Kind, int] = {
    Kind.UNKNOWN: 0,
    **{kind: rank for rank, kind in enumerate(_FACTS, start=1)},
}
"""Stored as part of `state_rank`: a kind keeps its number for ever."""
UNKNOWN = "unknown"
STATE_OF: dict[Kind, str] = {
    Kind.PUBLISHED: "queued",
    Kind.RECEIVED: "received",
    Kind.STARTED: "running",
    Kind.RETRIED: "retrying",
    Kind.REJECTED: "rejected",
    Kind.FAILED: "failed",
    Kind.SUCCEEDED: "succeeded",
    Kind.CANCELLED: "cancelled",
    Kind.UNKNOWN: UNKNOWN,
}
STATES = tuple(STATE_OF.values())
RANKS_PER_ATTEMPT = 32
STATE_OF_RANK: dict[int, str] = {KIND_RANK[kind]: state for kind, state in STATE_OF.items()}
LAST_OPEN_RANK = KIND_RANK[Kind.RETRIED]
"""Within an attempt: what ranks higher is an end, which no doubt can touch."""


class Slot(Enum):
    """Which join rule a field of a task row obeys."""

    HEAD = "head"
    ATTEMPT = "attempt"
    LEAST = "least"
    GREATEST = "greatest"
    DOUBT = "doubt"
    STATE = "state"


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
    unknown_at: int | None = None
    unknown_reason: str | None = None


SLOT_OF: dict[str, Slot] = {
    "state": Slot.STATE,
    **dict.fromkeys(
        (
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
    "unknown_at": Slot.DOUBT,
    "unknown_reason": Slot.DOUBT,
}
_HEAD = tuple(name for name, slot in SLOT_OF.items() if slot is Slot.HEAD)
_ATTEMPT = tuple(name for name, slot in SLOT_OF.items() if slot is Slot.ATTEMPT)
_LEAST = tuple(name for name, slot in SLOT_OF.items() if slot is Slot.LEAST)


def rank(attempt: int, kind: Kind) -> int:
    """Compare events of one task: greater means later in its life."""
    return attempt * RANKS_PER_ATTEMPT + KIND_RANK[kind]


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
    since: int | None = None
    reason: str | None = None


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
    if kind is _UNKNOWN:
        return _doubt(event, details)
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
    if kind is _PUBLISHED:
        row.queued_at = row.published_at = at
        return row
    row.worker = worker
    if kind is _RECEIVED:
        row.received_at = at
    elif kind is _STARTED:
        row.started_at = at
    elif kind in ENDING_KINDS:
        _add_ending(row, details, at, final=kind is not _RETRIED)
    return row


def _doubt(event: WireEvent, details: Details) -> TaskRow:
    """Return what "nothing is known since" implies: no fact, and no moment later than that."""
    since = event.occurred_at if details.since is None else details.since
    return TaskRow(
        state=UNKNOWN,
        state_rank=rank(event.attempt, Kind.UNKNOWN),
        state_at=since,
        attempt=event.attempt,
        first_at=since,
        last_at=since,
        name=event.name,
        queue=event.queue,
        unknown_at=since,
        unknown_reason=details.reason,
    )


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
    if other.unknown_at is not None or into.unknown_at is not None:
        _join_doubt(into, other)


def _join_head(into: TaskRow, other: TaskRow) -> None:
    mine, theirs = (
        (into.state_rank, -into.state_at),
        (other.state_rank, -other.state_at),
    )
    if theirs > mine:
        into.state = other.state
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


def _join_doubt(into: TaskRow, other: TaskRow) -> None:
    mine, theirs = into.unknown_at, other.unknown_at
    if theirs is not None and (mine is None or theirs > mine):
        into.unknown_at, into.unknown_reason = theirs, other.unknown_reason
    elif theirs == mine:
        _keep(into, "unknown_reason", other.unknown_reason, greatest=True)
    into.state = _state_in_doubt(into)


def _state_in_doubt(row: TaskRow) -> str:
    """Return the state of a row that has been unknown once."""
    kind_rank = row.state_rank % RANKS_PER_ATTEMPT
    is_silent = row.unknown_at is not None and row.unknown_at >= (row.last_at or 0)
    if is_silent and kind_rank <= LAST_OPEN_RANK:
        return UNKNOWN
    return STATE_OF_RANK[kind_rank]


def _keep(into: TaskRow, name: str, value: Any, *, greatest: bool) -> None:
    known = getattr(into, name)
    if value is not None and (known is None or (value > known if greatest else value < known)):
        setattr(into, name, value)
