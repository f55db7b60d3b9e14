"""The one way into the audit log.

`record` is called in the transaction of the change that it tells of, so that there is neither a
change without its row nor a row without its change. The lock of the chain's head orders the
writers. Call it after what touches accounts and their sessions, for the instance before any
project, for several projects in the order of their ids, and before `feeds.advance`: so that no two
transactions wait for each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from z4j_brain import clock
from z4j_brain.audit.author import SERVER, Actor, Author, Target
from z4j_brain.audit.encoding import START, head_of, is_genuine, key_id, row_mac
from z4j_brain.keys import Keys
from z4j_brain.redaction.cleaner import BUILT_IN, MAX_AUDIT
from z4j_brain.redaction.stored import cleaner_of
from z4j_brain.store import audit as rows
from z4j_brain.store.audit import INSTANCE, AuditRow, Head
from z4j_brain.store.types import to_datetime
from z4j_core.redaction import Redactor

BEGUN, HEAD_REPLACED = "audit.begun", "audit.head_replaced"
MAX_BYTES = MAX_AUDIT
"""Of `before` and of `after`, as JSON."""
_MAX_TEXT = 200


class HeadNote(msgspec.Struct, frozen=True):
    """A head as the row `audit.head_replaced` keeps it."""

    number: int
    last: str
    key_id: str
    mac: str


class Replaced(msgspec.Struct, frozen=True):
    """What the row `audit.head_replaced` holds in `after`; without a head there was none."""

    head: HeadNote | None


def record(
    connection: Connection,
    author: Author,
    action: str,
    target: Target,
    *,
    project_id: uuid.UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: int | None = None,
) -> None:
    """Append a row to the chain of a project, or of the instance.

    `connection` is in a write transaction. `before` and `after` are redacted, by the project's own
    rules too, and cut to `MAX_BYTES` here; `after` begins with the `owner` when the author is an
    API key. `now` is in microseconds; the clock is read when it is not given.
    """
    at = clock.now() if now is None else now
    chain = INSTANCE if project_id is None else project_id
    redactor = cleaner_of(connection, project_id).audit
    head = _locked(connection, author.keys, chain, at)
    _append(
        connection,
        author,
        head,
        at,
        action,
        target,
        _shown(before, redactor),
        _shown(after, redactor, author.owner),
    )


def append_system(
    connection: Connection,
    author: Author,
    chain: uuid.UUID,
    at: int,
    action: str,
    target: Target,
    after: str,
) -> None:
    """Append a row that tells of the log itself; `after` is JSON text, taken as it is."""
    head = _locked(connection, author.keys, chain, at)
    _append(connection, author, head, at, action, target, after=after)


def moment(micros: int | None) -> str | None:
    """Return a time as `before` and `after` hold it: ISO 8601 in UTC; None stays None."""
    return None if micros is None else to_datetime(micros).isoformat()


def begin(connection: Connection, keys: Keys) -> None:
    """Make the head of every chain that has none, so that a missing one means something."""
    known = {head.chain for head in rows.heads(connection)}
    for chain in sorted(rows.chains(connection).keys() - known):
        _begin(connection, keys, chain, clock.now())


def _locked(connection: Connection, keys: Keys, chain: uuid.UUID, at: int) -> Head:
    """Lock and return a head that this server's key vouches for."""
    head, newest = rows.lock_head(connection, chain) or (
        _begin(connection, keys, chain, at),
        rows.last_number(connection, chain),
    )
    if newest <= head.number and is_genuine(keys.audit_key(chain), head):
        return head
    # The key is another since the last row, or somebody has changed head or rows. To sign what is
    # there would hide that for ever: so the head goes into a row, and `verify` judges it.
    note = HeadNote(head.number, head.last.hex(), head.key_id, head.mac.hex())
    return _replace(connection, keys, chain, at, note)


def _begin(connection: Connection, keys: Keys, chain: uuid.UUID, at: int) -> Head:
    of_instance = None if chain == INSTANCE else _locked(connection, keys, INSTANCE, at)
    own = keys.audit_key(chain)
    is_new = rows.add_head(connection, head_of(own, chain, 0, START))
    locked = rows.lock_head(connection, chain)
    if locked is None:
        raise LookupError(f"the head of the audit chain {chain} is gone again")
    head, newest = locked
    if not is_new:
        return head
    if newest:
        head = _replace(connection, keys, chain, at, None)
    if of_instance is not None:
        system = Author(keys, SERVER)
        _append(connection, system, of_instance, at, BEGUN, Target("project", str(chain), ""))
    return head


def _replace(
    connection: Connection, keys: Keys, chain: uuid.UUID, at: int, note: HeadNote | None
) -> Head:
    """Go on behind the last row that there is, with a row that tells of the former head."""
    last = rows.last_row(connection, chain)
    number, mac = (0, START) if last is None else (last.number, last.mac)
    after = msgspec.json.encode(Replaced(note)).decode()
    name = "instance" if chain == INSTANCE else str(chain)
    return _append(
        connection,
        Author(keys, SERVER),
        head_of(keys.audit_key(chain), chain, number, mac),
        at,
        HEAD_REPLACED,
        Target("audit", str(chain), name),
        after=after,
    )


def _append(
    connection: Connection,
    author: Author,
    head: Head,
    at: int,
    action: str,
    target: Target,
    before: str | None = None,
    after: str | None = None,
) -> Head:
    key = author.keys.audit_key(head.chain)
    actor: Actor = author.actor
    row = AuditRow(
        chain=head.chain,
        number=head.number + 1,
        at=at,
        actor_kind=actor.kind,
        actor_id=None if actor.id is None else str(actor.id),
        actor_name=_line(actor.name),
        action=action,
        object_kind=target.kind,
        object_id=None if target.id is None else _line(target.id),
        object_name=_line(target.name),
        before=before,
        after=after,
        address=None if author.address is None else _line(author.address),
        request_id=None if author.request is None else _line(author.request),
        key_id=key_id(key),
        previous=head.last,
        mac=b"",
    )
    row = msgspec.structs.replace(row, mac=row_mac(key, row))
    rows.append(connection, row)
    moved = head_of(key, head.chain, row.number, row.mac)
    rows.set_head(connection, moved)
    return moved


def _shown(
    values: Mapping[str, Any] | None, redactor: Redactor, owner: Actor | None = None
) -> str | None:
    if values is None and owner is None:
        return None
    shown = redactor.value(dict(values or {}))
    if owner is not None:
        # Who answers for a key is a name, which no rule of a project may hide.
        told = {"owner": {"id": str(owner.id), "name": _line(owner.name)}}
        shown = told | (shown if isinstance(shown, dict) else {"after": shown})
        if len(msgspec.json.encode(shown)) > MAX_BYTES:
            shown = BUILT_IN.audit.value(shown)
    return _clean(msgspec.json.encode(shown).decode())


def _line(text: str) -> str:
    """Return a name as any database can hold it, at most `_MAX_TEXT` characters."""
    return _clean(BUILT_IN.audit.text(text[: 4 * _MAX_TEXT]))[:_MAX_TEXT]


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
