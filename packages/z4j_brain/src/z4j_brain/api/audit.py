"""`/projects/{project}/audit` and `/instance/audit`: who did what, and the proof that nothing of it
was changed.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import InstanceCall, ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.json_text import as_json
from z4j_brain.api.route import route
from z4j_brain.api.times import Timestamp, query_time, rfc3339
from z4j_brain.audit.verifying import verify_part
from z4j_brain.keys import Keys
from z4j_brain.store import audit
from z4j_brain.store.audit import INSTANCE, AuditRow, Choice
from z4j_core.events import Micros

if TYPE_CHECKING:
    from z4j_brain.brain import Brain

COUNT_CAP = 10_000
MAX_VERIFIED = 50_000
"""How many rows one request verifies at most."""
_Number = Annotated[int, Meta(ge=1, le=2**53)]
_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class AuditQuery(msgspec.Struct, frozen=True):
    """`actor` and `object` are an id or a name; `action` is one, or its beginning up to a dot."""

    actor: _Text | None = None
    action: _Text | None = None
    object: _Text | None = None
    since: Annotated[str, Meta(max_length=40)] | None = None
    until: Annotated[str, Meta(max_length=40)] | None = None
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class AuditActor(msgspec.Struct, frozen=True):
    """Who did it."""

    kind: str
    id: str | None
    name: str


class AuditObject(msgspec.Struct, frozen=True):
    """To what it was done."""

    kind: str
    id: str | None
    name: str


class AuditEntry(msgspec.Struct, frozen=True):
    """One row; `before` and `after` are redacted and of bounded size."""

    number: int
    at: Timestamp
    actor: AuditActor
    action: str
    object: AuditObject
    before: Any
    after: Any
    address: str | None
    request_id: str | None


class AuditList(msgspec.Struct, frozen=True):
    """A page of the log, the newest first."""

    items: list[AuditEntry]
    next: str | None
    count: int
    count_capped: bool


class VerifyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which row on; when it is not given, the newest rows are verified."""

    first: _Number | None = None


class AuditBreak(msgspec.Struct, frozen=True):
    """The first row that is not what was written, and why."""

    number: int
    reason: str


class AuditVerified(msgspec.Struct, frozen=True):
    """What was verified: the rows `first` to `last`. `whole` says that this is the whole chain, up
    to its signed end; `next` is where to go on when the end was not reached. Rows up to `pruned`
    were removed because of their age, and a signed row says so.
    """

    intact: bool
    first: int
    last: int
    rows: int
    whole: bool
    next: int | None
    broken: AuditBreak | None
    pruned: int | None


class _Position(msgspec.Struct, frozen=True, array_like=True):
    number: Micros


@route("GET", "/projects/{project}/audit", permission="audit.read")
async def read_audit(call: ProjectCall, query: AuditQuery) -> AuditList:
    """List who did what in the project."""
    return await _list(call.brain, call.project.id, query)


@route("POST", "/projects/{project}/audit/verify", permission="audit.read", max_body=1024)
async def verify_audit(call: ProjectCall, body: VerifyForm) -> AuditVerified:
    """Verify at most 50,000 rows of the project's log; `z4j audit verify` verifies all."""
    brain = call.brain
    return await brain.database.run(_verify, brain.keys, call.project.id, body.first)


@route("GET", "/instance/audit", permission="instance.audit")
async def read_instance_audit(call: InstanceCall, query: AuditQuery) -> AuditList:
    """List what was done that belongs to no project; for administrators of the instance."""
    return await _list(call.brain, INSTANCE, query)


@route("POST", "/instance/audit/verify", permission="instance.audit", max_body=1024)
async def verify_instance_audit(call: InstanceCall, body: VerifyForm) -> AuditVerified:
    """Verify at most 50,000 rows of the instance's log; `z4j audit verify` verifies all."""
    return await call.brain.database.run(_verify, call.brain.keys, INSTANCE, body.first)


async def _list(brain: Brain, chain: uuid.UUID, query: AuditQuery) -> AuditList:
    choice = Choice(
        actor=query.actor,
        action=query.action,
        object=query.object,
        since=None if query.since is None else query_time("since", query.since),
        until=None if query.until is None else query_time("until", query.until),
    )
    scope = f"audit|{chain}|{choice!r}"
    before = decode_cursor(scope, query.cursor, _Position).number if query.cursor else None
    found, count = await brain.database.run(_page, chain, choice, before, query.limit)
    has_more = len(found) > query.limit
    return AuditList(
        items=[_entry(row) for row in found[: query.limit]],
        next=encode_cursor(scope, _Position(found[query.limit - 1].number)) if has_more else None,
        count=min(count, COUNT_CAP),
        count_capped=count > COUNT_CAP,
    )


def _page(
    connection: Connection, chain: uuid.UUID, choice: Choice, before: int | None, limit: int
) -> tuple[list[AuditRow], int]:
    found = audit.page(connection, chain, choice, before=before, limit=limit + 1)
    return found, audit.count(connection, chain, choice, COUNT_CAP)


def _verify(
    connection: Connection, keys: Keys, chain: uuid.UUID, first: int | None
) -> AuditVerified:
    last = audit.last_number(connection, chain)
    begins = audit.first_number(connection, chain) or 1
    begin = last - MAX_VERIFIED + 1 if first is None else first
    if begin > last + 1:
        raise problems.invalid_input("/first", f"The last row of this log has the number {last}.")
    begin = max(begins, begin)
    report = verify_part(connection, keys.ring(), chain, begin, MAX_VERIFIED)
    broken, end = report.broken, report.end.number
    return AuditVerified(
        intact=broken is None,
        first=begin,
        last=end,
        rows=report.rows,
        whole=report.is_whole,
        next=end + 1 if broken is None and end < last else None,
        broken=None if broken is None else AuditBreak(broken.number, broken.reason),
        pruned=None if report.pruned is None else report.pruned.number,
    )


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        number=row.number,
        at=rfc3339(row.at),
        actor=AuditActor(row.actor_kind, row.actor_id, row.actor_name),
        action=row.action,
        object=AuditObject(row.object_kind, row.object_id, row.object_name),
        before=as_json(row.before),
        after=as_json(row.after),
        address=row.address,
        request_id=row.request_id,
    )
