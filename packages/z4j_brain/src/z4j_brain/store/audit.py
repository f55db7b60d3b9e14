"""The rows of the audit log and the heads of its chains.

Nothing here changes a row; only `remove_until` deletes some, for `audit.pruning` alone.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from z4j_brain.store.schema import audit, audit_heads, projects

INSTANCE = uuid.UUID(int=0)
"""The chain of what belongs to no project."""


_LAST = (
    select(audit.c.number)
    .where(audit.c.chain == audit_heads.c.chain)
    .order_by(audit.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
_LOCK = (
    select(audit_heads, func.coalesce(_LAST, 0))
    .where(audit_heads.c.chain == bindparam("chain"))
    .with_for_update(of=audit_heads)
)
# Made once: a change pays for them together with its own statements.
_APPEND = insert(audit)
_MOVE = update(audit_heads).where(audit_heads.c.chain == bindparam("of"))


class AuditRow(msgspec.Struct, frozen=True, gc=False):
    """One row; `before` and `after` are redacted JSON text, `at` is in microseconds."""

    chain: uuid.UUID
    number: int
    at: int
    actor_kind: str
    actor_id: str | None
    actor_name: str
    action: str
    object_kind: str
    object_id: str | None
    object_name: str
    before: str | None
    after: str | None
    address: str | None
    request_id: str | None
    key_id: str
    previous: bytes
    mac: bytes


class Head(msgspec.Struct, frozen=True):
    """The end of a chain: its last number, that row's MAC, and a MAC over both."""

    chain: uuid.UUID
    number: int
    last: bytes
    key_id: str
    mac: bytes


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: all that is given must fit. `action` also chooses what begins with it and a dot;
    `actor` and `object` are an id or a name; `since` is included, `until` is not.
    """

    actor: str | None = None
    action: str | None = None
    object: str | None = None
    since: int | None = None
    until: int | None = None


def lock_head(connection: Connection, chain: uuid.UUID) -> tuple[Head, int] | None:
    """Return the head and the greatest number; until the transaction ends nobody else can append
    to the chain. Rows that somebody appended while this waited for the lock are not in the number.
    """
    row = connection.execute(_LOCK, {"chain": chain}).first()
    return None if row is None else (Head(*row[:-1]), row[-1])


def head(connection: Connection, chain: uuid.UUID) -> Head | None:
    """Return the head of this snapshot."""
    row = connection.execute(select(audit_heads).where(audit_heads.c.chain == chain)).first()
    return None if row is None else Head(*row)


def heads(connection: Connection) -> list[Head]:
    """Return every head, by chain."""
    rows = connection.execute(select(audit_heads).order_by(audit_heads.c.chain))
    return [Head(*row) for row in rows]


def add_head(connection: Connection, new: Head) -> bool:
    """Store the head of a chain that has none; False when it has one by now."""
    clause = text(
        "INSERT INTO audit_heads (chain, number, last, key_id, mac)"
        " VALUES (:chain, :number, :last, :key_id, :mac) ON CONFLICT (chain) DO NOTHING"
    ).bindparams(*(_typed(name) for name in ("chain", "last", "mac")))
    return connection.execute(clause, msgspec.structs.asdict(new)).rowcount > 0


def set_head(connection: Connection, new: Head) -> None:
    """Move the head of a chain."""
    moved = {"number": new.number, "last": new.last, "key_id": new.key_id, "mac": new.mac}
    connection.execute(_MOVE, {"of": new.chain, **moved})


def append(connection: Connection, row: AuditRow) -> None:
    """Insert a row. Raises `IntegrityError` when its number is taken."""
    connection.execute(_APPEND, msgspec.structs.asdict(row))


def rows_after(
    connection: Connection, chain: uuid.UUID, number: int | None, limit: int
) -> list[AuditRow]:
    """Return the rows behind a number, in order; from the very first when it is None."""
    query = select(audit).where(audit.c.chain == chain)
    if number is not None:
        query = query.where(audit.c.number > number)
    query = query.order_by(audit.c.number).limit(limit)
    # The numbers of a good chain have no holes. Without the upper end PostgreSQL, before it has
    # statistics, collects and sorts all that follows, for every page anew.
    near = _rows(connection, query.where(audit.c.number <= (number or 0) + limit))
    return near if len(near) == limit else _rows(connection, query)


def last_number(connection: Connection, chain: uuid.UUID) -> int:
    """Return the greatest number; 0 without rows."""
    query = select(audit.c.number).where(audit.c.chain == chain)
    return connection.execute(query.order_by(audit.c.number.desc()).limit(1)).scalar() or 0


def last_row(connection: Connection, chain: uuid.UUID) -> AuditRow | None:
    """Return the row of the greatest number."""
    query = select(audit).where(audit.c.chain == chain).order_by(audit.c.number.desc()).limit(1)
    return next(iter(_rows(connection, query)), None)


def first_number(connection: Connection, chain: uuid.UUID) -> int | None:
    """Return the least number; None without rows."""
    query = select(audit.c.number).where(audit.c.chain == chain)
    return connection.execute(query.order_by(audit.c.number).limit(1)).scalar()


def first_number_since(connection: Connection, chain: uuid.UUID, at: int) -> int | None:
    """Return the least number of a row that is no older than a time (microseconds)."""
    query = select(audit.c.number).where(audit.c.chain == chain, audit.c.at >= at)
    return connection.execute(query.order_by(audit.c.number).limit(1)).scalar()


def has_other(connection: Connection, chain: uuid.UUID, until: int, action: str) -> bool:
    """Tell whether a row up to this number tells of another action."""
    query = select(audit.c.number).where(
        audit.c.chain == chain, audit.c.number <= until, audit.c.action != action
    )
    return connection.execute(query.limit(1)).scalar() is not None


def newest_of(connection: Connection, chain: uuid.UUID, action: str) -> AuditRow | None:
    """Return the newest row of an action."""
    query = select(audit).where(audit.c.chain == chain, audit.c.action == action)
    return next(iter(_rows(connection, query.order_by(audit.c.number.desc()).limit(1))), None)


def remove_until(connection: Connection, chain: uuid.UUID, number: int) -> int:
    """Delete the rows up to a number; return how many there were."""
    return connection.execute(
        delete(audit).where(audit.c.chain == chain, audit.c.number <= number)
    ).rowcount


def mac_at(connection: Connection, chain: uuid.UUID, number: int) -> bytes | None:
    """Return the MAC of one row."""
    query = select(audit.c.mac).where(audit.c.chain == chain, audit.c.number == number)
    found: bytes | None = connection.execute(query).scalar()
    return found


def page(
    connection: Connection,
    chain: uuid.UUID,
    choice: Choice,
    *,
    before: int | None = None,
    limit: int,
) -> list[AuditRow]:
    """Return rows, the newest first, with numbers less than `before`."""
    query = select(audit).where(audit.c.chain == chain, *_conditions(choice))
    if before is not None:
        query = query.where(audit.c.number < before)
    return _rows(connection, query.order_by(audit.c.number.desc()).limit(limit))


def count(connection: Connection, chain: uuid.UUID, choice: Choice, cap: int) -> int:
    """Count the rows, but not beyond `cap` + 1."""
    query = select(audit.c.number).where(audit.c.chain == chain, *_conditions(choice))
    return len(connection.execute(query.limit(cap + 1)).all())


def chains(connection: Connection) -> dict[uuid.UUID, str]:
    """Return every chain that there is or should be, with its project's slug, the instance first.

    Of a chain whose project is gone, the id stands for the slug.
    """
    found = {INSTANCE: "instance"}
    rows = connection.execute(select(projects.c.id, projects.c.slug).order_by(projects.c.slug))
    found |= {row.id: row.slug for row in rows}
    for query in (select(audit_heads.c.chain), select(audit.c.chain).distinct()):
        found |= {
            chain: str(chain) for chain in connection.execute(query).scalars() if chain not in found
        }
    return found


def _conditions(choice: Choice) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if choice.action is not None:
        below, behind = f"{choice.action}.", f"{choice.action}/"  # "/" follows "." in ASCII
        beneath = (audit.c.action >= below) & (audit.c.action < behind)
        chosen.append(or_(audit.c.action == choice.action, beneath))
    if choice.actor is not None:
        chosen.append(or_(audit.c.actor_id == choice.actor, audit.c.actor_name == choice.actor))
    if choice.object is not None:
        chosen.append(or_(audit.c.object_id == choice.object, audit.c.object_name == choice.object))
    if choice.since is not None:
        chosen.append(audit.c.at >= choice.since)
    if choice.until is not None:
        chosen.append(audit.c.at < choice.until)
    return chosen


def _typed(name: str) -> Any:
    return bindparam(name, type_=audit_heads.c[name].type)


def _rows(connection: Connection, query: Select[Any]) -> list[AuditRow]:
    return [AuditRow(*row) for row in connection.execute(query)]
